"""A repeated request gets the response of the first, and no request gets that of another one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.models.config import Auth, Config, Site, View
from aggregator.models.query import parse
from aggregator.store.database.connection import Store
from aggregator.web.app import create_app
from tests.e2e.service import wait_for
from tests.web.middleware.test_auth import TOKEN
from tests.web.sample_store import CONFIG, START, SampleStore, open_sample

Response = tuple[int, list[tuple[str, str]], bytes]
Fields = Mapping[str, str]

BROWSER = "text/html,application/xml;q=0.9,*/*;q=0.8"
NOW = START + timedelta(days=9)
HERE = {"Host": "127.0.0.1:8000"}


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path) as sample:
        sample.add("herald", 3)
        sample.add("post", 2)
        yield sample


class Server:
    """The application with all its middleware, as on a real port."""

    def __init__(
        self, config: Config, store: Store, host: str = "127.0.0.1", *, reloads: bool = False
    ) -> None:
        self.config = config

        def current() -> Config:
            return replace(self.config) if reloads else self.config

        app = create_app(current, store, clock=lambda: NOW, host=host)
        self._client = Client(app.wsgi_app)

    def ask(self, path: str, fields: Fields = HERE, method: str = "GET") -> Response:
        answer = self._client.open(path, method=method, headers=dict(fields))
        return answer.status_code, list(answer.headers), answer.data

    def is_repeated(self, ask: Callable[[], Response]) -> bool:
        """Whether the response to a request is served before its duration is measured."""
        before = self._measured()
        ask()
        return self._measured() == before

    def series(self, name: str) -> dict[str, float]:
        lines = self.ask("/metrics")[2].decode().splitlines()
        found = (line.rpartition(" ") for line in lines if line.startswith(name))
        return {series: float(value) for series, _, value in found}

    def _measured(self) -> float:
        name = 'aggregator_http_request_duration_seconds_count{route="/feeds"}'
        return self.series(name).get(name, 0.0)


FIELDS: dict[str, tuple[str, ...]] = {
    "Accept-Encoding": ("", "br", "gzip, zstd;q=0.5", "identity;q=0"),
    "If-None-Match": ("", "*", '"other"'),
    "If-Modified-Since": ("", "Sat, 01 Jan 2050 00:00:00 GMT"),
    "If-Match": ("", '"other"'),
    "If-Unmodified-Since": ("", "Thu, 01 Jan 1998 00:00:00 GMT"),
    "A-IM": ("", "feed"),
    "Sec-Fetch-Dest": ("", "document", "empty"),
    "Upgrade-Insecure-Requests": ("", "1"),
    "Accept": ("", BROWSER, "application/atom+xml"),
    "X-Forwarded-Host": ("", "other.example"),
    "X-Forwarded-Proto": ("", "https"),
    "X-Forwarded-Prefix": ("", "/news"),
    "Forwarded": ("", "for=192.0.2.1;host=third.example;proto=https"),
    "Host": ("127.0.0.1:8000", "evil.example", "localhost"),
}
"""Values of the fields that a response may depend on; "" is an absent field."""


def requests() -> list[tuple[str, Fields]]:
    """Return requests with each value of each field, and with each two of them."""
    rows: dict[tuple[tuple[str, str], ...], None] = {}
    for one, other in product(FIELDS, FIELDS):
        for value, second in product(FIELDS[one], FIELDS[other]):
            fields = {**HERE, one: value, other: second}
            rows[tuple(sorted((k, v) for k, v in fields.items() if v))] = None
    paths = ("/feeds/all.atom", "/news/feeds/all.atom?raw")
    return [(path, dict(row)) for path in paths for row in rows]


PLAIN, MOVED = Site(title="The Site"), Site(title="The Site", base_url="https://site.example/news")
PROXIED = Site(title="The Site", trusted_proxies=1)


@pytest.mark.parametrize(
    ("site", "host"),
    [(PLAIN, "127.0.0.1"), (PLAIN, "0.0.0.0"), (MOVED, "127.0.0.1"), (PROXIED, "0.0.0.0")],
    ids=["loopback", "all addresses", "own address", "behind a proxy"],
)
def test_a_repeated_request_gets_the_rendered_response(
    sample: SampleStore, site: Site, host: str
) -> None:
    config, asked = replace(CONFIG, site=site), requests()
    server = Server(config, sample.store, host)
    # A configuration that is new at each request empties all caches.
    rendering = Server(config, sample.store, host, reloads=True)
    for _ in range(2):
        for path, fields in asked:
            server.ask(path, fields)
    statuses = set()
    for path, fields in asked:
        response = server.ask(path, fields)
        assert response == rendering.ask(path, fields), (path, fields)
        statuses.add(response[0])
    assert len(statuses) > 3


METHODS = ["GET", "HEAD", "OPTIONS", "POST"]


@pytest.mark.parametrize("path", ["/feeds/all.atom", "/feeds/section/world.json", "/opml"])
def test_methods_do_not_share_responses(sample: SampleStore, path: str) -> None:
    server = Server(CONFIG, sample.store)
    for _ in range(3):
        for method in METHODS:
            rendering = Server(CONFIG, sample.store)
            assert server.ask(path, HERE, method) == rendering.ask(path, HERE, method)


def test_the_third_request_is_served_before_everything_else(sample: SampleStore) -> None:
    server = Server(CONFIG, sample.store)
    asked = lambda: server.ask("/feeds/all.atom")  # noqa: E731
    assert [server.is_repeated(asked) for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize(
    "fields",
    [
        {"Upgrade-Insecure-Requests": "1", "Accept": "application/atom+xml"},
        {"Forwarded": "for=192.0.2.1"},
        {"A-IM": "feed"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_fields_with_many_values_are_not_repeated(sample: SampleStore, fields: Fields) -> None:
    server = Server(CONFIG, sample.store)
    asked = lambda: server.ask("/feeds/all.atom", {**HERE, **fields})  # noqa: E731
    assert [server.is_repeated(asked) for _ in range(4)] == [False] * 4


def test_repeated_requests_are_counted(sample: SampleStore) -> None:
    server = Server(CONFIG, sample.store)
    tag = dict(server.ask("/feeds/all.atom")[1])["ETag"]
    for _ in range(3):
        server.ask("/feeds/all.atom")
        server.ask("/feeds/all.atom", {**HERE, "If-None-Match": tag})
    counted = server.series("aggregator_http_requests_total")
    assert counted['aggregator_http_requests_total{route="/feeds",status="200"}'] == 4
    assert counted['aggregator_http_requests_total{route="/feeds",status="304"}'] == 3


def test_a_site_that_gets_a_password_serves_nothing_that_is_cached(sample: SampleStore) -> None:
    server = Server(CONFIG, sample.store)
    for _ in range(3):
        assert server.ask("/feeds/all.atom")[0] == 200
    server.config = replace(CONFIG, auth=Auth(token=TOKEN, protect="site"))
    assert server.ask("/feeds/all.atom")[0] == 401
    signed = {**HERE, "Authorization": f"Bearer {TOKEN}"}
    for _ in range(3):
        assert server.ask("/feeds/all.atom", signed)[0] == 200
        assert server.ask("/feeds/all.atom")[0] == 401


def test_a_private_view_is_for_its_token_only(sample: SampleStore) -> None:
    view = View(id="mine", title="Mine", query=parse("q=rain"), token="a-secret-of-32-characters")
    server = Server(replace(CONFIG, views=(view,)), sample.store)
    signed = {**HERE, "Authorization": f"Bearer {view.token}"}
    for _ in range(3):
        assert server.ask("/feeds/view/mine.atom", signed)[0] == 200
        assert server.ask(f"/feeds/view/mine.atom?token={view.token}")[0] == 200
        assert server.ask("/feeds/view/mine.atom")[0] == 401
        assert server.ask("/feeds/view/mine.atom?token=another")[0] == 401


def test_a_delta_is_not_taken_for_the_whole_feed(sample: SampleStore) -> None:
    server = Server(CONFIG, sample.store)
    first = server.ask("/feeds/all.atom")
    sample.add("herald")
    wait_for(lambda: server.ask("/feeds/all.atom") != first)
    known = {**HERE, "If-None-Match": dict(first[1])["ETag"]}
    for _ in range(3):
        assert server.ask("/feeds/all.atom", known)[0] == 200
        assert server.ask("/feeds/all.atom", {**known, "A-IM": "feed"})[0] == 226
