"""The entries of the front page."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.config import Front
from aggregator.web.pages import front
from aggregator.web.pages.front import SECTION_SIZE
from tests.web.pages.test_pages import PageSite, headlines, pages
from tests.web.pages.test_related import make_summary
from tests.web.sample_store import make_entry

__all__ = ["pages"]


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(0, 30), st.integers(1, 7))
def test_later_candidates_do_not_change_a_varied_section(
    sources: list[str], size: int, most: int
) -> None:
    entries = [
        make_summary(100 - age, age=age, source_id=source) for age, source in enumerate(sources)
    ]
    if front._is_varied(entries[:size], SECTION_SIZE, most):
        section = front._varied(entries[:size], SECTION_SIZE, most)
        assert section == front._varied(entries, SECTION_SIZE, most)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 7), st.integers(1, 12))
def test_a_list_is_full_before_a_source_has_too_much(
    sources: list[str], most: int, size: int
) -> None:
    entries = [
        make_summary(100 - age, age=age, source_id=source) for age, source in enumerate(sources)
    ]
    shown = front._varied(entries, size, most)
    assert len(shown) == min(size, len(entries))
    counts = [sum(entry.source_id == source for entry in shown) for source in "abc"]
    room = sum(min(most, sources.count(source)) for source in "abc")
    assert max(counts, default=0) <= most or room < size


def part(page: str, name: str, end: str) -> str:
    return page[page.index(name) :].partition(end)[0]


@pytest.mark.parametrize("most", [1, 2])
def test_latest_has_few_entries_of_one_source(pages: PageSite, most: int) -> None:
    site = replace(pages.sample.config.site, front=Front(max_per_source=most))
    pages.sample.config = replace(pages.sample.config, site=site)
    pages.sample.add("post", 3)
    pages.sample.add("odd", 3)
    pages.sample.add("herald", 60)
    latest = part(pages.text("/"), 'class="latest"', "</ol>")
    sources = re.findall(r">(Herald|Post|https://odd[^<]*)<", latest)
    assert len(sources) == 8
    assert sources.count("Herald") == 8 - 2 * most  # there are no more of others


def test_the_help_page_says_how_the_front_page_is_filled(pages: PageSite) -> None:
    assert "At most 2 entries of a source in each list" in pages.text("/help")


def test_no_story_and_no_headline_is_shown_twice(pages: PageSite) -> None:
    pages.sample.add("herald", 6)
    for source in ("herald", "post", "odd"):  # too short a title to be evidence of one story
        copy = replace(make_entry(900), title="Good morning", guid=source, link="")
        pages.sample.put(source, replace(copy, canonical_url=f"https://{source}.example/"))
    shown = headlines(pages.text("/"))
    assert shown.count("Good morning") == 1
    assert len(shown) == len(set(shown))


def test_fresh_stories_are_covered_more_than_those_of_the_day_before(pages: PageSite) -> None:
    def put(title: str, sources: tuple[str, ...], age: timedelta) -> None:
        for source in sources:
            entry = make_entry(len(title), pages.sample.now - age)
            entry = replace(entry, title=title, summary="")
            guid = f"{source} {title}"
            pages.sample.put(source, replace(entry, guid=guid, link="", canonical_url=""))

    day = timedelta(days=1)
    put("Ferry with many on board runs aground off Skerrow", ("herald", "post", "odd"), 1.9 * day)
    put("Parliament passes the budget after a long night", ("herald", "post"), 0 * day)
    put("Museum reopens its halls with paintings from Delft", ("herald", "post", "odd"), 0.2 * day)
    pages.sample.add("herald")
    covered = part(pages.text("/"), 'id="covered"', "</ol>")
    assert [title.split()[0] for title in headlines(covered)] == ["Museum", "Parliament", "Ferry"]
