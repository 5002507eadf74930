"""When a page is fetched again, and when a source is in trouble."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.poll import FailureKind, Freshness
from aggregator.policy import pages
from tests.builders import failed

GOOD = frozenset({"page"})


@pytest.mark.parametrize(
    ("kind", "status", "is_retried"),
    [
        (FailureKind.TIMEOUT, 0, True),
        (FailureKind.DNS, 0, True),
        (FailureKind.HTTP_STATUS, 500, True),
        (FailureKind.HTTP_STATUS, 499, False),
        (FailureKind.HTTP_STATUS, 408, True),
        (FailureKind.RATE_LIMITED, 429, True),
        (FailureKind.HTTP_STATUS, 404, False),
        (FailureKind.HTTP_STATUS, 403, False),
        (FailureKind.GONE, 410, False),
        (FailureKind.TOO_LARGE, 200, False),
        (FailureKind.REFUSED_ADDRESS, 0, False),
        (FailureKind.PARSE, 200, False),
        (FailureKind.ROBOTS, 0, False),
    ],
)
def test_which_failures_are_tried_again(kind: FailureKind, status: int, is_retried: bool) -> None:
    assert (pages.retry_delay(failed(kind, status=status), 0, 0.5) is not None) is is_retried


def test_delay_grows_until_the_page_is_given_up() -> None:
    timeout = failed(FailureKind.TIMEOUT)
    delays = [pages.retry_delay(timeout, n, 0.5) for n in range(pages.MOST_ATTEMPTS)]
    assert delays[0] == pages.FIRST_RETRY
    assert delays[-1] is None
    assert delays[-2] == pages.FIRST_RETRY * pages.RETRY_FACTOR ** (pages.MOST_ATTEMPTS - 2)


@given(
    wait=st.timedeltas(timedelta(0), timedelta(days=30)),
    attempts=st.integers(0, pages.MOST_ATTEMPTS - 2),
    jitter=st.floats(0, 1),
)
def test_retry_after_is_obeyed(wait: timedelta, attempts: int, jitter: float) -> None:
    freshness = Freshness(retry_after=wait)
    limited = failed(FailureKind.RATE_LIMITED, status=429, freshness=freshness)
    delay = pages.retry_delay(limited, attempts, jitter)
    assert delay is not None
    assert delay >= wait


@pytest.mark.parametrize(
    ("outcomes", "is_unreadable"),
    [
        (["parse"] * pages.FAILED_PAGES, True),
        (["parse"] * (pages.FAILED_PAGES - 1), False),
        ([*["parse"] * (pages.FAILED_PAGES - 1), "page"], False),
        ([*["parse"] * pages.FAILED_PAGES, "page"], True),
        ([], False),
    ],
)
def test_pages_in_a_row_without_text(outcomes: list[str], is_unreadable: bool) -> None:
    assert pages.is_unreadable(outcomes, GOOD) is is_unreadable
