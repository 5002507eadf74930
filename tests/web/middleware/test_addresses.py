"""The address of the site: configured, listened on, or in the fields of trusted proxies."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.store.queries import archives
from aggregator.web.app import create_app
from aggregator.web.middleware.addresses import MAX_HOST
from aggregator.web.middleware.forwarded import MAX_FIELD
from tests.web.sample_store import CONFIG, SampleStore, open_sample

MakeClient = Callable[..., Client]
PROXY = {
    "Host": "inner:8000",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "news.example",
    "X-Forwarded-Prefix": "/daily",
}


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path) as sample:
        sample.add("herald")
        yield sample


@pytest.fixture
def make_client(sample: SampleStore) -> MakeClient:
    def make(host: str = "127.0.0.1", port: int = 9137, **site: object) -> Client:
        site = {"base_url": ""} | site
        config = replace(CONFIG, site=replace(CONFIG.site, **site))  # type: ignore[arg-type]
        config = replace(config, allow=("127.0.0.0/8",))
        return Client(create_app(lambda: config, sample.store, host=host, port=port).wsgi_app)

    return make


def address(client: Client, **headers: str) -> str:
    """Return the address that feed and API give, which must be the same."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    feed = client.get("/feeds/all.json", headers=fields).get_json()
    entry = client.get("/api/v1/entries/1", headers=fields).get_json()
    base = str(feed["feed_url"]).removesuffix("/feeds/all.json")
    assert entry["url"] == f"{base}/entry/1"
    return base


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("127.0.0.1", 9137, "http://127.0.0.1:9137"),
        ("localhost", 9137, "http://localhost:9137"),
        ("::1", 9137, "http://[::1]:9137"),
        ("192.168.1.7", 80, "http://192.168.1.7"),
    ],
)
def test_without_a_base_url_it_is_where_the_server_listens(
    make_client: MakeClient, host: str, port: int, expected: str
) -> None:
    assert address(make_client(host, port), Host="localhost:1") == expected


def test_a_base_url_wins(make_client: MakeClient) -> None:
    client = make_client(base_url="https://site.example", trusted_proxies=1)
    assert address(client, **PROXY | {"Host": "localhost"}) == "https://site.example"


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("nas.lan:9137", "http://nas.lan:9137"),
        ("NAS_1.lan", "http://nas_1.lan"),
        ("[fd00::7]:9137", "http://[fd00::7]:9137"),
        (f"{'h.' * (MAX_HOST // 2)}example", "http://127.0.0.1:9137"),
        ('a.example"><script>', "http://127.0.0.1:9137"),
        ("a.example/b", "http://127.0.0.1:9137"),
        ("user@a.example", "http://127.0.0.1:9137"),
        ("nas.lan:99999", "http://127.0.0.1:9137"),
        ("", "http://127.0.0.1:9137"),
    ],
)
def test_a_server_on_all_addresses_takes_that_of_the_request(
    make_client: MakeClient, wildcard: str, host: str, expected: str
) -> None:
    assert address(make_client(wildcard), Host=host) == expected


@pytest.mark.parametrize(
    ("trusted", "expected"), [(0, "http://192.168.1.7:9137"), (1, "https://news.example/daily")]
)
def test_fields_of_trusted_proxies_count(
    make_client: MakeClient, trusted: int, expected: str
) -> None:
    assert address(make_client("192.168.1.7", trusted_proxies=trusted), **PROXY) == expected


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/a b", "daily", "/a;Domain=example", "/" + "p" * MAX_HOST]
)
def test_a_strange_prefix_is_ignored(make_client: MakeClient, prefix: str) -> None:
    client = make_client("0.0.0.0", trusted_proxies=1)
    fields = PROXY | {"X-Forwarded-Prefix": prefix}
    assert address(client, **fields) == "https://news.example"


@pytest.mark.parametrize(
    ("trusted", "field", "expected"),
    [
        (1, 'for=10.0.0.1;proto=https;host="news.example:8443"', "https://news.example:8443"),
        (1, "host=evil.example, host=news.example", "http://news.example"),
        (2, "host=news.example, for=10.0.0.1", "http://news.example"),
        (1, "host=evil.example, for=10.0.0.1", "http://inner:8000"),
        (2, "host=news.example", "http://inner:8000"),
        (0, "host=evil.example", "http://192.168.1.7:9137"),
        (1, f"host=news.example;by={'x' * MAX_FIELD}", "http://inner:8000"),
        (1, '";,=,', "http://inner:8000"),
    ],
)
def test_the_forwarded_field_counts_like_the_others(
    make_client: MakeClient, trusted: int, field: str, expected: str
) -> None:
    client = make_client("192.168.1.7", trusted_proxies=trusted)
    assert address(client, Host="inner:8000", Forwarded=field) == expected


def test_forwarded_does_not_replace_what_a_proxy_left_out(make_client: MakeClient) -> None:
    client = make_client("192.168.1.7", trusted_proxies=1)
    fields = {
        "Host": "inner:8000",
        "X-Forwarded-For": "192.0.2.1",
        "Forwarded": "host=evil.example",
    }
    assert address(client, **fields) == "http://inner:8000"


def test_cached_responses_are_not_mixed_up(make_client: MakeClient) -> None:
    client = make_client("0.0.0.0")
    for host in ("a.example", "b.example", "a.example", "b.example"):
        assert address(client, Host=host) == f"http://{host}"


def test_pages_have_an_etag_for_each_address(make_client: MakeClient) -> None:
    client = make_client("0.0.0.0")
    tags = [client.get("/", headers={"Host": host}).headers["ETag"] for host in ("a", "b", "a")]
    assert tags[0] == tags[2] != tags[1]


def test_only_archives_with_the_public_address_are_stored(
    sample: SampleStore, make_client: MakeClient
) -> None:
    sample.add("herald", archives.SIZE)
    path = "/feeds/all/archive/1.json"

    def stored() -> int:
        with sample.store.reading() as db:
            return int(db.execute("select count(*) from archive_documents").fetchone()[0])

    response = make_client("0.0.0.0").get(path, headers={"Host": "a.example"})
    assert response.get_json()["feed_url"] == f"http://a.example{path}"
    assert stored() == 0
    make_client(base_url="https://site.example").get(path)
    assert stored() == 1


@pytest.mark.parametrize(
    ("site", "hub"),
    [
        ({"listening": "http://127.0.0.1:9137"}, "http://127.0.0.1:9137/hub"),
        ({"listening": ""}, ""),  # a scheduler started apart knows no address
        ({"listening": "", "base_url": "http://127.0.0.1:7"}, "http://127.0.0.1:7/hub"),
    ],
)
def test_feeds_name_the_hub_that_the_scheduler_serves(
    make_client: MakeClient, site: dict[str, object], hub: str
) -> None:
    response = make_client(**site).get("/feeds/all.atom", headers={"Host": "localhost"})
    assert ('rel="hub"' in response.headers["Link"]) == bool(hub)
    assert hub in response.headers["Link"]
