"""Features: a few stories with pictures at the foot of a page, none that is on the page."""

from collections.abc import Collection, Mapping

from aggregator.models.query import Query
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages.entry_lists import EntryLists
from aggregator.web.pages.front import has_wide_picture
from aggregator.web.pages.presenters import headline
from aggregator.web.pages.timed_cache import TimedCache
from aggregator.web.pages.view_models import EntryItem

COUNT = 3

CANDIDATES = 80
"""Newest entries among which those with pictures are looked for."""

KEPT = 40
"""Candidates with pictures that are kept: the page may show some of them already."""

FeaturesCache = TimedCache[str, list[int]]
"""Ids of candidates by section, "" for all."""


def choose(
    lists: EntryLists, shown: Collection[int], cache: FeaturesCache, section: str = ""
) -> tuple[EntryItem, ...]:
    """Return entries with pictures: the most covered first, then the newest, of different sources.

    Args:
        shown: Ids of the entries on the page.
        section: Where to choose from, "" for the whole site; it helps out where too few are left.
    """
    chosen = _choose(lists, shown, cache, section)
    if section and len(chosen) < COUNT:
        chosen = _choose(lists, shown, cache, "")
    return lists.items(chosen) if len(chosen) == COUNT else ()


def _choose(
    lists: EntryLists, shown: Collection[int], cache: FeaturesCache, section: str
) -> list[EntrySummary]:
    ids = cache.get(section, lambda: [entry.id for entry in _candidates(lists, section)])
    by_id = lists.get_many({*ids, *shown})
    story_ids = lists.story_ids(by_id.values())
    seen: set[int | str] = set()
    for entry_id in shown:
        if entry_id in by_id:
            seen |= _keys(by_id[entry_id], story_ids)
    chosen: list[EntrySummary] = []
    spare: list[EntrySummary] = []
    for entry in (by_id[entry_id] for entry_id in ids if entry_id in by_id):
        keys = _keys(entry, story_ids)
        if entry.hidden or seen & keys:
            continue
        seen |= keys
        is_new = all(entry.source_id != other.source_id for other in chosen)
        (chosen if is_new else spare).append(entry)
    return [*chosen, *spare][:COUNT]


def _candidates(lists: EntryLists, section: str) -> list[EntrySummary]:
    """Return the newest entries with pictures, those of most sources first."""
    newest = lists.select(Query(section=(section,) if section else ()), limit=CANDIDATES)
    reports = {item.id: len(item.other_reports) for item in lists.items(newest)}
    pictured = [entry for entry in newest if has_wide_picture(entry)]
    return sorted(pictured, key=lambda entry: -reports[entry.id])[:KEPT]


def _keys(entry: EntrySummary, story_ids: Mapping[int, int]) -> set[int | str]:
    return {story_ids[entry.id], headline(entry).casefold()}
