"""Selectors written by hand find the entries of every layout."""

from datetime import UTC, datetime

import pytest

from aggregator.models.entry import ParsedEntry
from aggregator.parse.listings import document
from tests.layouts import LAYOUTS, Layout

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
HOST = "https://town.example"


def entries(layout: Layout) -> tuple[ParsedEntry, ...]:
    changes = document.parse_changes(
        layout.body,
        content_type=layout.content_type,
        url=HOST + layout.path,
        listing=layout.listing,
        now=NOW,
    )
    assert changes.feed.problems == ()
    return changes.feed.entries


def test_there_are_twelve_layouts() -> None:
    assert len({layout.name for layout in LAYOUTS}) == 12


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_written_selectors_find_all_entries(layout: Layout) -> None:
    found = entries(layout)
    assert tuple(each.title and each.title.value for each in found) == layout.titles
    assert tuple(each.link.removeprefix(HOST) for each in found) == layout.links
    assert tuple(each.published for each in found) == layout.dates
    assert len({each.item_hash for each in found}) == len(found)
    if layout.summaries:
        begins = zip(found, layout.summaries, strict=True)
        assert all(each.summary and begin in each.summary.value for each, begin in begins)
    if layout.images:
        assert tuple(each.images[0].url.removeprefix(HOST) for each in found) == layout.images
