"""The cache is bounded, and checks the database once per interval."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.web.middleware.cache import (
    MAX_KEY,
    MAX_RESPONSES,
    Cache,
    CachedResponse,
    RequestKey,
)
from aggregator.web.middleware.representation import Representation, WsgiResponse
from tests.web.sample_store import START


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(str(tmp_path / "test.db"))
    yield store
    store.close()


def document(size: int = 1000, **versions: int) -> Representation:
    return Representation(
        body=b"x" * size, content_type="text/plain", cache_control="", versions=versions
    )


def bump(store: Store, *scopes: str) -> None:
    with store.transaction() as db:
        change_log.bump(db, scopes, START)


def test_the_least_recently_used_documents_are_dropped_first(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], capacity=40_000)
    for name in ("/a", "/b", "/c", "/d"):
        cache.put((name, ""), document())
    now[0] = 1
    assert cache.get(("/a", ""))
    cache.put(("/e", ""), document())
    assert [name for name in "abcde" if cache.get((f"/{name}", ""))] == ["a", "c", "d", "e"]
    cache.put(("/huge", ""), document(100_000))
    assert cache.get(("/huge", "")) is None
    cache.put(("/a", ""), document())
    assert [name for name in "abcde" if cache.get((f"/{name}", ""))] == ["a", "c", "d", "e"]
    cache.clear()
    assert cache.get(("/a", "")) is None


def test_a_document_without_versions_stays_current(store: Store) -> None:
    cache = Cache(store, clock=lambda: 0.0)
    cache.put(("/a", ""), document())
    bump(store, "all")
    assert cache.get(("/a", ""))


def test_the_database_is_checked_once_per_interval(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], interval=0.2)
    cache.put(("/a", ""), document(all=0))
    assert cache.get(("/a", ""))
    bump(store, "all")
    now[0] = 0.19
    assert cache.get(("/a", ""))
    now[0] = 0.2
    assert cache.get(("/a", "")) is None


def test_a_change_of_another_scope_drops_nothing(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0])
    cache.put(("/a", ""), document(**{"section:world": 0}))
    bump(store, "all", "section:local")
    now[0] = 1
    assert cache.get(("/a", ""))
    bump(store, "all", "section:world")
    now[0] = 2
    assert cache.get(("/a", "")) is None


def test_a_restored_database_empties_the_cache(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0])
    bump(store, "all")
    cache.put(("/a", ""), document(all=1))
    assert cache.get(("/a", ""))
    with store.transaction() as db:
        db.execute("delete from changes")
    now[0] = 1
    assert cache.get(("/a", "")) is None


def test_the_cache_is_safe_for_threads(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], capacity=30_000)
    failures: list[Exception] = []

    def work() -> None:
        try:
            for turn in range(300):
                now[0] += 0.1
                key = (f"/{turn % 7}", "")
                if cache.get(key) is None:
                    cache.put(key, document(all=0))
        except Exception as error:  # noqa: BLE001, whatever it is, the test fails
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# --- responses to repeated requests ----------------------------------------------------------

RESPONSE = WsgiResponse(status="200 OK", headers=[])


def request(path: str) -> RequestKey:
    return (path, None, "GET", *[None] * 12)


def response(document: Representation) -> CachedResponse:
    return CachedResponse(RESPONSE, document, "/a")


@pytest.fixture
def filled(store: Store) -> Cache:
    cache = Cache(store, clock=lambda: 0.0, interval=0.0)
    kept = document(all=0)
    cache.put(("/a", ""), kept)
    assert cache.get(("/a", "")) is kept
    cache.put_response(request("/a"), response(kept), ("/a", ""))
    assert cache.get_response(request("/a")) == response(kept)
    return cache


def test_a_response_is_dropped_when_anything_changes(filled: Cache, store: Store) -> None:
    bump(store, "all")
    assert filled.get_response(request("/a")) is None


def test_a_response_is_dropped_with_the_configuration(filled: Cache) -> None:
    filled.clear()
    assert filled.get_response(request("/a")) is None


def test_a_response_is_dropped_with_its_document(filled: Cache) -> None:
    filled.put(("/a", ""), document(2000, all=0))
    assert filled.get_response(request("/a")) is None


def test_a_response_of_a_dropped_document_is_not_cached(filled: Cache) -> None:
    filled.put_response(request("/b"), response(document()), ("/a", ""))
    assert filled.get_response(request("/b")) is None


def test_responses_are_bounded(store: Store) -> None:
    cache = Cache(store, clock=lambda: 0.0)
    kept = document()
    cache.put(("/a", ""), kept)
    assert cache.get(("/a", "")) is kept
    keys = [(*request("/a")[:4], f'"{number}"', *request("/a")[5:]) for number in range(2500)]
    for key in keys:
        cache.put_response(key, response(kept), ("/a", ""))
    assert sum(cache.get_response(key) is not None for key in keys) <= MAX_RESPONSES
    assert cache.get_response(keys[-1]) == response(kept)


@pytest.mark.parametrize(("spare", "is_cached"), [(0, True), (1, False)])
def test_a_response_to_a_long_request_is_not_cached(
    filled: Cache, spare: int, is_cached: bool
) -> None:
    key = request("/a")
    accepts = "x" * (MAX_KEY - len("/a") - len("GET") + spare)
    key = (*key[:3], accepts, *key[4:])
    document = filled.get(("/a", ""))
    assert document
    filled.put_response(key, response(document), ("/a", ""))
    assert (filled.get_response(key) is not None) == is_cached
