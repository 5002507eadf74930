"""The front page: its lead, its sections, the latest entries, audio and video."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.models.query import Query
from aggregator.policy.health import is_alive
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import poll_plan, source_list
from aggregator.web.feeds.views import resolve
from aggregator.web.pages import presenters, sharing
from aggregator.web.pages.entry_lists import EntryLists, view_head
from aggregator.web.pages.view_models import EmptySite, FrontPage, FrontSection

LEAD_CANDIDATES = 20
"""Without a fresh story of several sources, the newest of these with a wide picture leads."""

MIN_LEAD_WIDTH = 400
"""Pixels that the picture of the lead needs, where the width is known: small ones look blurred."""

PRIORITY_SPAN = timedelta(hours=12)
"""An entry that a rule marks as important leads for so long, measured from the newest entry."""

LATEST, SECTION_SIZE, MEDIA = 12, 6, 4

LATEST_SHARE = 4
"""The latest are at most one in so many of the newest entries: the rest is for the sections."""

LATEST_CANDIDATES, SECTION_CANDIDATES = 100, 30
"""Newest entries from which a list is filled, so that not one source fills it that publishes
dozens a day."""


def compose(lists: EntryLists, updated: datetime | None, now: datetime | None) -> FrontPage:
    """Return the front page.

    Args:
        lists: The entries to choose from.
        updated: When any entry last changed.
        now: The current time, None for the page of a past time.
    """
    config, most = lists.config, lists.config.site.front.max_per_source
    newest = lists.select(Query(), limit=LATEST + LEAD_CANDIDATES)
    marked = lists.select(Query(has=("priority",)), limit=1)
    covered = lists.most_covered()
    lead = _lead(newest, marked, covered)
    head = view_head(
        resolve("all", "", "", config),
        updated if newest else None,
        newest_id=max((entry.id for entry in newest), default=0),
    )
    shown = _Shown(lists)
    shown.add([lead] if lead else [])
    # Made into items now: the lists of sections know fewer reports of a story.
    most_covered = lists.items(shown.add(shown.others(covered)))
    size = min(LATEST, max(1, len(newest) // LATEST_SHARE))
    latest = shown.add(_latest(lists, newest, shown, size, most))
    sections = tuple(_sections(lists, shown, most))
    media = shown.add(_varied(shown.others(_media(lists)), MEDIA, most))
    return FrontPage(
        head=replace(head, sharing=sharing.of_front(config, lead.image if lead else None)),
        lead=lists.items([lead])[0] if lead else None,
        sections=sections,
        most_covered=most_covered,
        latest=lists.items(latest),
        media=lists.items(media),
        empty=None if lead or now is None else _empty_site(lists.db, now),
    )


def _latest(
    lists: EntryLists, newest: Sequence[EntrySummary], shown: "_Shown", size: int, most: int
) -> list[EntrySummary]:
    """Return the latest entries of stories that are not shown yet."""
    candidates = shown.others(newest)
    if not _is_varied(candidates, size, most):
        candidates = shown.others(lists.select(Query(), limit=LATEST_CANDIDATES))
    return _varied(candidates, size, most)


class _Shown:
    """The stories that the page shows already, and headlines, as copies may be no story."""

    def __init__(self, lists: EntryLists) -> None:
        self._lists = lists
        self._keys: set[int | str] = set()

    def others(self, entries: Sequence[EntrySummary]) -> list[EntrySummary]:
        """Return the entries that are not shown yet, each story once."""
        seen, found = set(self._keys), []
        for entry, keys in self._with_keys(entries):
            if not seen & keys:
                found.append(entry)
                seen |= keys
        return found

    def add(self, entries: list[EntrySummary]) -> list[EntrySummary]:
        """Take entries as shown, and return them."""
        for _, keys in self._with_keys(entries):
            self._keys |= keys
        return entries

    def _with_keys(
        self, entries: Sequence[EntrySummary]
    ) -> Iterator[tuple[EntrySummary, set[int | str]]]:
        story_ids = self._lists.story_ids(entries)
        for entry in entries:
            yield entry, {story_ids[entry.id], presenters.headline(entry).casefold()}


def _empty_site(db: Connection, now: datetime) -> EmptySite:
    enabled, unpolled, failed = source_list.progress(db)
    return EmptySite(
        sources=enabled,
        unpolled=unpolled,
        failed=failed,
        is_alive=is_alive(parse_time_or_none(metadata.get(db, "tick")), now),
        next_poll=poll_plan.next_due(db),
    )


def _sections(lists: EntryLists, shown: _Shown, most: int) -> Iterator[FrontSection]:
    """Yield the sections with their newest entries; no story is shown twice."""
    for section in lists.config.sections:
        candidates = _candidates(lists, section.id, shown, most)
        entries = shown.add(_varied(candidates, SECTION_SIZE, most))
        if entries:
            yield FrontSection(section=section, entries=lists.items(entries))


def _candidates(lists: EntryLists, section: str, shown: _Shown, most: int) -> list[EntrySummary]:
    """Return the newest entries of a section, of stories that are not shown yet."""
    candidates: list[EntrySummary] = []
    for limit in (2 * SECTION_SIZE, SECTION_CANDIDATES):  # the first is cheap and mostly enough
        newest = lists.select(Query(section=(section,)), limit=limit)
        candidates = shown.others(newest)
        if len(newest) < limit or _is_varied(candidates, SECTION_SIZE, most):
            break
    return candidates


def _is_varied(entries: Sequence[EntrySummary], size: int, most: int) -> bool:
    """Return whether the entries fill a list within the maximum of each source."""
    counts = Counter(entry.source_id for entry in entries)
    return sum(min(count, most) for count in counts.values()) >= size


def _varied(entries: Sequence[EntrySummary], size: int, most: int) -> list[EntrySummary]:
    """Return the entries that a list shows, newest first.

    Args:
        entries: The newest first.
        most: Entries of one source, unless other sources have too few to fill the list.
    """
    counts: Counter[str] = Counter()
    chosen: list[EntrySummary] = []
    spare: list[EntrySummary] = []
    for entry in entries:
        counts[entry.source_id] += 1
        (chosen if counts[entry.source_id] <= most else spare).append(entry)
    return sorted([*chosen, *spare][:size], key=_newest_first)


def _media(lists: EntryLists) -> list[EntrySummary]:
    """Return the newest entries with sound or film, more than are shown."""
    audio = lists.select(Query(has=("audio",)), limit=2 * MEDIA)
    video = lists.select(Query(has=("video",)), limit=2 * MEDIA)
    by_id = {entry.id: entry for entry in (*audio, *video)}
    return sorted(by_id.values(), key=_newest_first)


def _lead(
    newest: Sequence[EntrySummary],
    marked: Sequence[EntrySummary],
    covered: Sequence[EntrySummary],
) -> EntrySummary | None:
    """Return the entry at the top: one marked, a story of several sources, or the newest.

    Args:
        marked: Entries that a rule marks as important.
        covered: The stories that most sources report, the most covered first.
    """
    fresh = [
        entry
        for entry in (*marked, *covered)
        if newest and newest[0].sort_at - entry.sort_at < PRIORITY_SPAN
    ]
    marked_ids = {entry.id for entry in marked}
    candidates = [
        *(entry for entry in fresh if entry.id in marked_ids),
        *(entry for entry in (*fresh, *newest[:LEAD_CANDIDATES]) if has_wide_picture(entry)),
        *newest[:1],
    ]
    return next(iter(candidates), None)


def has_wide_picture(entry: EntrySummary) -> bool:
    """Return whether an entry has a picture that is wide enough to be shown large."""
    image = entry.image
    if image is None or image.is_artwork:
        return False
    is_upright = bool(image.height) and image.width < image.height
    return not is_upright and (not image.width or image.width >= MIN_LEAD_WIDTH)


def _newest_first(entry: EntrySummary) -> tuple[float, int]:
    return -entry.sort_at.timestamp(), -entry.id
