"""A cache in memory of values that take milliseconds to find and may be minutes old."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT = timedelta(minutes=10)


class TimedCache(Generic[K, V]):
    """Values by key, each found again after `KEPT`."""

    def __init__(self, clock: Callable[[], datetime], size: int) -> None:
        """Take the time from a clock, and keep the last `size` values."""
        self._clock, self._size = clock, size
        self._found: OrderedDict[K, tuple[datetime, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, find: Callable[[], V]) -> V:
        """Return the value of a key that `find` returned not long ago, or returns now."""
        now = self._clock()
        with self._lock:
            known = self._found.get(key)
        if known and abs(now - known[0]) < KEPT:
            return known[1]
        value = find()
        with self._lock:
            self._found[key] = now, value
            self._found.move_to_end(key)
            if len(self._found) > self._size:
                self._found.popitem(last=False)
        return value
