"""Locks by key: one thread at a time for a key, other keys at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

from aggregator.web.middleware.keyed_locks import KeyedLocks


def test_another_key_does_not_wait() -> None:
    locks = KeyedLocks()
    with locks.hold("a"), ThreadPoolExecutor(1) as threads:

        def hold_other() -> bool:
            with locks.hold("b"):
                return True

        assert threads.submit(hold_other).result(60)


def test_the_same_key_waits() -> None:
    locks, entered = KeyedLocks(), threading.Event()

    def hold_same() -> None:
        with locks.hold("a"):
            entered.set()

    with ThreadPoolExecutor(1) as threads:
        with locks.hold("a"):
            waiting = threads.submit(hold_same)
            assert not entered.wait(0.1)
        waiting.result(60)
    assert entered.is_set()


def test_work_of_one_key_never_overlaps() -> None:
    locks, inside, most = KeyedLocks(), 0, 0

    def work(_: int) -> None:
        nonlocal inside, most
        with locks.hold("a"):
            inside += 1
            most = max(most, inside)
            inside -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(500)))
    assert most == 1
    assert locks._locks == {}
