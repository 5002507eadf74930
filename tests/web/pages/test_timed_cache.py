"""The cache of what is found slowly."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.web.pages.timed_cache import KEPT, TimedCache

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("later", "finds"), [(KEPT - timedelta(seconds=1), 1), (KEPT, 2), (-KEPT, 2)]
)
def test_a_value_is_found_again_after_a_while(later: timedelta, finds: int) -> None:
    now, asked = [NOW], list[int]()
    cache = TimedCache[str, int](lambda: now[0], size=9)

    def find() -> int:
        asked.append(1)
        return len(asked)

    assert [cache.get("a", find), cache.get("a", find)] == [1, 1]
    now[0] += later
    assert cache.get("a", find) == finds


def test_a_bounded_number_of_values_is_kept() -> None:
    cache = TimedCache[int, str](lambda: NOW, size=2)
    for key in (0, 1, 2):
        cache.get(key, lambda: "old")
    assert [cache.get(key, lambda: "new") for key in (2, 1, 0)] == ["old", "old", "new"]
