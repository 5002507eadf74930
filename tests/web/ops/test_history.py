"""The charts of the status page and of the pages of sources."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.store.sources import poll_log
from aggregator.store.sources.poll_history import PollSums
from aggregator.web.ops import history
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import log_polls

__all__ = ["pages"]

HOUR = timedelta(hours=1)
HOURS = [datetime(2009, 6, 27, hour, tzinfo=UTC) for hour in range(24)]
NAMES = ["Polls", "Failed polls", "New entries", "Response time", "Received"]


def sums(start: datetime, polls: int = 1, **values: int | None) -> PollSums:
    known: dict[str, int | None] = {"bytes": 0, "milliseconds": 0, **values}
    return PollSums(
        start=start,
        polls=polls,
        failed=known.get("failed") or 0,
        new=known.get("new") or 0,
        bytes=known["bytes"],
        milliseconds=known["milliseconds"],
    )


def captions(page: str) -> list[str]:
    found = re.findall(r"<figcaption><b>(.*?)</b> (.*?)</figcaption>", page)
    return [f"{name} {total}" for name, total in found]


def table(page: str) -> list[list[str]]:
    """Return the rows of the table of numbers that have any, without the time."""
    [body] = re.findall(r"<details>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = [re.findall(r'<td class="number">(.*?)</td>', row) for row in body.split("</tr>")]
    return [row for row in rows if row and row != ["–"] * 5]


def bars(path: str) -> list[tuple[int, float]]:
    """Return the left edge and the height of each bar."""
    return [(int(x), float(high)) for x, high in re.findall(r"M(\d+),60v-([\d.e+]+)h8V60z", path)]


def edges(path: str) -> list[int]:
    return [int(x) for x in re.findall(r"M(\d+),60h10v1h-10z", path)]


@pytest.mark.parametrize("path", ["/status", "/source/herald"])
def test_page_draws_polls_of_the_last_day(pages: PageSite, path: str) -> None:
    log_polls(pages.sample, "herald", [pages.now - HOUR * back for back in (0, 2, 23, 24)])
    page = pages.text(path)
    assert captions(page) == [
        "Polls: 3 in all",
        "Failed polls: 0 in all",
        "New entries: 6 in all",
        "Response time: 250 ms on average",
        "Received: 3.0 kB in all",
    ]
    assert table(page) == [["1", "0", "2", "250 ms", "1.0 kB"]] * 3
    assert page.count('role="img" aria-label="Polls by hour: 3 in all, at most 1"') == 1


def test_a_source_is_drawn_without_the_others(pages: PageSite) -> None:
    log_polls(pages.sample, "herald", [pages.now])
    log_polls(pages.sample, "post", [pages.now], "timeout")
    assert table(pages.text("/status")) == [["2", "1", "4", "250 ms", "2.0 kB"]]
    for period in history.PERIODS:
        assert table(pages.text(f"/source/herald?period={period}"))[0][:2] == ["1", "0"]
        assert table(pages.text(f"/source/post?period={period}"))[0][:2] == ["1", "1"]


@pytest.mark.parametrize("path", ["/status", "/source/herald"])
@pytest.mark.parametrize(
    ("period", "first", "spans"), [("day", 23 * HOUR, 24), ("month", 29 * 24 * HOUR, 30)]
)
def test_period_ends_with_the_present_span(
    pages: PageSite, path: str, period: str, first: timedelta, spans: int
) -> None:
    log_polls(pages.sample, "herald", [pages.now, pages.now - first])
    page = pages.text(f"{path}?period={period}")
    assert captions(page)[0] == "Polls: 2 in all"
    [base] = re.findall(r'aria-label="Polls by.*?class="base" d="(.*?)"', page)
    assert edges(base) == [0, 10 * (spans - 1)]
    step = HOUR if period == "day" else 24 * HOUR
    log_polls(pages.sample, "herald", [pages.now - first - step])
    assert captions(pages.text(f"{path}?period={period}"))[0] == "Polls: 2 in all"


@pytest.mark.parametrize("path", ["/status", "/source/herald"])
def test_year_has_weeks_from_monday(pages: PageSite, path: str) -> None:
    monday = datetime(2009, 6, 22, tzinfo=UTC)
    oldest = monday - timedelta(weeks=52)
    second = timedelta(seconds=1)
    log_polls(pages.sample, "herald", [monday, monday - second, oldest, oldest - second])
    page = pages.text(f"{path}?period=year")
    assert captions(page)[0] == "Polls: 3 in all"
    [base] = re.findall(r'aria-label="Polls by week.*?class="base" d="(.*?)"', page)
    assert edges(base) == [0, 510, 520]
    assert ">22 June 2009</time>" in page
    assert ">23 June 2008</time>" in page


@pytest.mark.parametrize("path", ["/status", "/source/herald"])
@pytest.mark.parametrize("period", history.PERIODS)
def test_page_without_polls_says_so(pages: PageSite, path: str, period: str) -> None:
    page = pages.text(f"{path}?period={period}")
    assert f"No polls in this {period}." in page
    assert captions(page) == []
    assert 'href="?period=month#history" rel="nofollow"' in page


def test_present_period_is_marked(pages: PageSite) -> None:
    for query, name in (("", "Day"), ("?period=", "Day"), ("?period=year", "Year")):
        assert re.findall(r'aria-current="true">(\w+)</a>', pages.text(f"/status{query}")) == [name]


def test_links_keep_the_filter_of_the_table(pages: PageSite) -> None:
    page = pages.text("/status?sort=health&period=month")
    assert 'href="?sort=health&amp;period=year#history"' in page
    page = pages.text("/source/herald?asked=1&period=month")
    assert 'href="?period=year#history"' in page


@pytest.mark.parametrize("path", ["/status", "/source/herald"])
def test_unknown_period_is_refused(pages: PageSite, path: str) -> None:
    answer = pages.get(f"{path}?period=decade")
    assert answer.status_code == 400
    assert "period must be one of day, month, year" in html.unescape(answer.text)


def test_pushes_are_entries_and_bytes_without_a_poll(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        poll_log.add_push(db, "herald", pages.now, 3, 0, 2000)
    assert table(pages.text("/source/herald")) == [["0", "0", "3", "–", "2.0 kB"]]
    assert table(pages.text("/status")) == [["0", "0", "3", "–", "2.0 kB"]]
    assert captions(pages.text("/status"))[3] == "Response time: not recorded"


def test_zero_is_a_line_and_a_gap_is_none() -> None:
    drawn = history.draw(
        [sums(HOURS[0], 120), sums(HOURS[2], 60), sums(HOURS[3], 0), sums(HOURS[4], 1)],
        HOURS, "day", {},
    )  # fmt: skip
    polls = drawn.charts[0]
    assert edges(polls.base) == [0, 20, 30, 40]
    assert bars(polls.bars) == [(1, 60), (21, 30), (41, 2)]  # the least value is still seen
    assert (polls.width, polls.total, polls.most) == (240, 181, 120)


def test_response_time_is_the_mean_of_all_polls() -> None:
    drawn = history.draw(
        [sums(HOURS[0], 1, milliseconds=1000), sums(HOURS[1], 9, milliseconds=900)],
        HOURS, "day", {},
    )  # fmt: skip
    assert [row.latency for row in drawn.rows[:3]] == [1000, 100, None]
    assert (drawn.charts[3].total, drawn.charts[3].most) == (190, 1000)


def test_values_that_were_not_recorded_are_gaps() -> None:
    old = sums(HOURS[0], 5, bytes=None, milliseconds=None)
    drawn = history.draw([old, sums(HOURS[1], 1, bytes=70, milliseconds=30)], HOURS, "day", {})
    polls, _, _, latency, received = drawn.charts
    assert edges(polls.base) == [0, 10]
    assert edges(received.base) == edges(latency.base) == [10]
    assert (received.total, latency.total) == (70, 30)
    week = history.draw([old, sums(HOURS[1], 1, bytes=70, milliseconds=30)], HOURS[:1], "year", {})
    assert [(row.bytes, row.latency) for row in week.rows] == [(None, 30)]


@given(st.dictionaries(st.sampled_from(HOURS), st.integers(0, 10**12)))
def test_bars_are_within_the_drawing_and_add_up(polls: dict[datetime, int]) -> None:
    drawn = history.draw([sums(at, polls[at]) for at in sorted(polls)], HOURS, "day", {})
    chart = drawn.charts[0]
    assert chart.total == sum(polls.values())
    assert len(edges(chart.base)) == len(polls)
    assert [x // 10 for x, _ in bars(chart.bars)] == sorted(at.hour for at in polls if polls[at])
    assert all(2 <= high <= 60 for _, high in bars(chart.bars))
    assert [chart.name for chart in drawn.charts] == NAMES
