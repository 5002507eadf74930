"""The cache: bounded, and never asks the database more often than it says."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.web.middleware.cache import ANSWERS_KEPT, Answer, Asked, Cache, Document, address
from tests.web.stock import START


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(str(tmp_path / "test.db"))
    yield store
    store.close()


def document(size: int = 1000, **versions: int) -> Document:
    return Document(
        body=b"x" * size, content_type="text/plain", cache_control="", versions=versions
    )


def bump(store: Store, *scopes: str) -> None:
    with store.transaction() as db:
        change_log.bump(db, scopes, START)


def test_the_least_used_documents_go_when_the_room_is_taken(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], capacity=40_000)
    for name in "abcd":
        cache.put(name, document())
    now[0] = 1
    assert cache.get("a")
    cache.put("e", document())
    assert [name for name in "abcde" if cache.get(name)] == ["a", "c", "d", "e"]
    cache.put("huge", document(100_000))
    assert cache.get("huge") is None
    cache.put("a", document())
    assert [name for name in "abcde" if cache.get(name)] == ["a", "c", "d", "e"]
    cache.clear()
    assert cache.get("a") is None


def test_a_document_without_versions_holds_for_ever(store: Store) -> None:
    cache = Cache(store, clock=lambda: 0.0)
    cache.put("a", document())
    bump(store, "all")
    assert cache.get("a")


def test_the_database_is_asked_once_in_an_interval(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], interval=0.2)
    cache.put("a", document(all=0))
    assert cache.get("a")
    bump(store, "all")
    now[0] = 0.19
    assert cache.get("a")
    now[0] = 0.2
    assert cache.get("a") is None


def test_a_change_of_another_scope_is_no_reason(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0])
    cache.put("a", document(**{"section:world": 0}))
    bump(store, "all", "section:local")
    now[0] = 1
    assert cache.get("a")
    bump(store, "all", "section:world")
    now[0] = 2
    assert cache.get("a") is None


def test_a_restored_database_empties_the_cache(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0])
    bump(store, "all")
    cache.put("a", document(all=1))
    assert cache.get("a")
    with store.transaction() as db:
        db.execute("delete from changes")
    now[0] = 1
    assert cache.get("a") is None


def test_many_threads_may_ask_at_once(store: Store) -> None:
    now = [0.0]
    cache = Cache(store, clock=lambda: now[0], capacity=30_000)
    failures: list[Exception] = []

    def work() -> None:
        try:
            for turn in range(300):
                now[0] += 0.1
                key = str(turn % 7)
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


# --- answers to who asks the same again ------------------------------------------------------

ANSWER = Answer(status="200 OK", headers=[])


def ask(path: str) -> Asked:
    return (path, None, "GET", *[None] * 6)


@pytest.fixture
def noted(store: Store) -> Cache:
    cache = Cache(store, clock=lambda: 0.0, interval=0.0)
    kept = document(all=0)
    cache.put(address(ask("/a")), kept)
    assert cache.get(address(ask("/a"))) is kept
    cache.note(ask("/a"), ANSWER, kept)
    assert cache.again(ask("/a")) is ANSWER
    return cache


def test_an_answer_goes_when_anything_changes(noted: Cache, store: Store) -> None:
    bump(store, "all")
    assert noted.again(ask("/a")) is None


def test_an_answer_goes_when_the_configuration_does(noted: Cache) -> None:
    noted.clear()
    assert noted.again(ask("/a")) is None


def test_an_answer_goes_with_its_document(noted: Cache) -> None:
    noted.put(address(ask("/a")), document(2000, all=0))
    assert noted.again(ask("/a")) is None


def test_an_answer_of_a_document_that_was_dropped_meanwhile_is_not_kept(noted: Cache) -> None:
    noted.note(ask("/b"), ANSWER, document())
    assert noted.again(ask("/b")) is None


def test_answers_are_bounded(store: Store) -> None:
    cache = Cache(store, clock=lambda: 0.0)
    kept = document()
    cache.put(address(ask("/a")), kept)
    assert cache.get(address(ask("/a"))) is kept
    asked = [(*ask("/a")[:4], f'"{number}"', *ask("/a")[5:]) for number in range(2500)]
    for one in asked:
        cache.note(one, ANSWER, kept)
    assert sum(cache.again(one) is not None for one in asked) <= ANSWERS_KEPT
    assert cache.again(asked[-1]) is ANSWER
