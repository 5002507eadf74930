"""Unknown hosts are refused on loopback, and fields of proxies count only when they are trusted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.models.config import Auth
from aggregator.models.urls import is_loopback
from aggregator.web.app import create_app
from aggregator.web.middleware.attempts import MAX_ATTEMPTS
from tests.web.middleware.test_auth import CONTROL, HASH, PASSWORD, TOKEN
from tests.web.sample_store import CONFIG, SampleStore, open_sample

EVIL = "evil.example:8000"
MakeClient = Callable[..., Client]


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path) as sample:
        sample.add("herald")
        yield sample


@pytest.fixture
def make_client(sample: SampleStore) -> MakeClient:
    def make(host: str = "", auth: Auth = Auth(), **site: object) -> Client:  # noqa: B008, frozen
        config = replace(CONFIG, auth=auth, site=replace(CONFIG.site, **site))  # type: ignore[arg-type]
        return Client(create_app(lambda: config, sample.store, host=host).wsgi_app)

    return make


# --- hosts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.7", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


@pytest.mark.parametrize("path", ["/", "/feeds/all.atom", "/source/herald", "/healthz", "/nowhere"])
def test_an_unknown_host_is_refused_on_loopback(make_client: MakeClient, path: str) -> None:
    client = make_client("127.0.0.1")
    client.get(path, headers={"Host": "localhost"})  # so that the cache has it
    response = client.get(path, headers={"Host": EVIL})
    assert response.status_code == 421
    assert response.text == (
        f"This site is not at {EVIL}. Open https://site.example, or add the host to site.hosts in"
        " the configuration.\n"
    )
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_rebound_page_can_not_poll(make_client: MakeClient) -> None:
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}", "Sec-Fetch-Site": "same-origin"}
    response = make_client("127.0.0.1").post("/source/herald/poll", headers=headers)
    assert response.status_code == 421


@pytest.mark.parametrize(
    "host",
    [
        "site.example",
        "SITE.example:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "localhost",
        "news.home.arpa",
        "",
    ],
)
def test_known_hosts_are_served(make_client: MakeClient, host: str) -> None:
    client = make_client("::1", hosts=("news.home.arpa",))
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["[", "x" * 60_000, "a b", "[::1", "evil.example#localhost"])
def test_odd_hosts_are_refused(make_client: MakeClient, host: str) -> None:
    response = make_client("127.0.0.1").get("/", headers={"Host": host})
    assert response.status_code == 421
    assert len(response.data) < 1_000


@pytest.mark.parametrize(
    ("host", "auth"),
    [("0.0.0.0", Auth()), ("192.168.1.7", Auth()), ("", Auth()), ("127.0.0.1", CONTROL)],
)
def test_other_servers_accept_every_host(make_client: MakeClient, host: str, auth: Auth) -> None:
    assert make_client(host, auth).get("/", headers={"Host": EVIL}).status_code == 200


# --- proxies ---------------------------------------------------------------------------------


def sign_in(client: Client, password: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Origin": "https://site.example"} | sent
    return client.post("/login", data={"password": password}, headers=sent).status_code


@pytest.mark.parametrize(
    ("trusted", "forwarded", "status"),
    [
        pytest.param(1, "192.0.2.2", 303, id="another client"),
        pytest.param(1, "192.0.2.1", 429, id="the same client"),
        pytest.param(1, "192.0.2.2, 192.0.2.1", 429, id="the same client with a forged value"),
        pytest.param(0, "192.0.2.2", 429, id="fields of strangers are ignored"),
    ],
)
def test_the_client_behind_a_trusted_proxy_is_locked_out(
    make_client: MakeClient, trusted: int, forwarded: str, status: int
) -> None:
    client = make_client(auth=Auth(password=HASH), trusted_proxies=trusted)
    for _ in range(MAX_ATTEMPTS):
        assert sign_in(client, "wrong", X_Forwarded_For="192.0.2.1") == 403
    assert sign_in(client, PASSWORD, X_Forwarded_For=forwarded) == status


@pytest.mark.parametrize(("trusted", "status"), [(0, 403), (1, 303)])
def test_the_scheme_is_that_of_a_trusted_proxy(
    make_client: MakeClient, trusted: int, status: int
) -> None:
    client = make_client(auth=Auth(password=HASH), trusted_proxies=trusted)
    headers = {"Host": "other.example", "Origin": "https://other.example"}
    assert sign_in(client, PASSWORD, X_Forwarded_Proto="https", **headers) == status


@pytest.mark.parametrize(("trusted", "prefix"), [(0, ""), (1, "/news")])
def test_redirects_have_the_prefix_of_a_trusted_proxy(
    make_client: MakeClient, trusted: int, prefix: str
) -> None:
    client = make_client(auth=Auth(token=TOKEN), trusted_proxies=trusted, base_url="")
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-Prefix": "/news"}
    response = client.post("/source/herald/poll", headers=headers)
    assert response.headers["Location"] == f"{prefix}/source/herald?asked=1"
