"""Searches leave threads free for other requests."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from aggregator.web.middleware.search_limit import SEARCHES, SearchLimitMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class SlowSite:
    """Answers a search once `release` is set, and anything else at once."""

    def __init__(self) -> None:
        self.running = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.running.release()
            assert self.release.wait(60)
        start_response("200 OK", [])
        return [b"done"]


@pytest.mark.parametrize("name", ["q", "not", "%71"])
def test_one_search_more_is_refused_and_other_requests_are_not(name: str) -> None:
    site = SlowSite()
    client = Client(SearchLimitMiddleware(site))
    with ThreadPoolExecutor(SEARCHES) as threads:
        slow = [threads.submit(client.get, f"/slow?{name}=rain") for _ in range(SEARCHES)]
        for _ in range(SEARCHES):
            assert site.running.acquire(timeout=60)
        refused = client.get(f"/search?{name}=snow")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert client.get("/healthz").status_code == 200
        site.release.set()
        assert [answer.result().status_code for answer in slow] == [200] * SEARCHES
    assert client.get(f"/search?{name}=snow").status_code == 200


def test_a_failed_search_frees_its_place() -> None:
    def failing(_environ: object, _start: object) -> Iterable[bytes]:
        raise ValueError("a failing search")

    limited = SearchLimitMiddleware(failing)
    for _ in range(SEARCHES + 1):
        with pytest.raises(ValueError, match="a failing search"):
            Client(limited).get("/search?q=rain")
