"""New entries added to stories.

    new entries | keys | stored entries with these keys | decide, one after another | save

All lookups are made once for a batch. Entries that rules drop get a story too, in case the rule is
removed. Entries in quarantine get none: most are copies of entries of their source.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from aggregator.clean import urls
from aggregator.dedupe import clustering
from aggregator.dedupe.clustering import WINDOW, Candidate, Join, StoryInput
from aggregator.store.database.connection import Connection
from aggregator.store.entries import stories
from aggregator.store.entries.stories import LIVE, ComparedEntry, Member, Tables

BATCH = 250
"""Entries looked up together; few enough that the words of all stay in the cache."""

KEPT = timedelta(days=30)
"""How long pages and titles are stored; a reused one shows up in this time."""

_canonical = lru_cache(maxsize=1_024)(urls.canonical)  # few feeds, each of many entries

NEWS = timedelta(days=14)
"""Age from which a new entry is the backlog of a new source, and is only looked up by page, title
and hints: few such entries have a story, and lookups cost most when all sources are new."""


def follow(db: Connection, entry_ids: Sequence[int], now: datetime, tables: Tables = LIVE) -> int:
    """Add new entries to stories, in the caller's transaction; return how many joined one.

    Args:
        entry_ids: Each entry once, when it is new.
        tables: The stories that they are added to.
    """
    new = [
        _story_input(entry, _hints(entry))
        for entry in stories.compared(db, entry_ids).values()
        if not entry.hidden.startswith("quarantine")
    ]
    parts = (new[start : start + BATCH] for start in range(0, len(new), BATCH))
    return sum(_follow(db, part, now, tables) for part in parts)


def _follow(db: Connection, new: Sequence[StoryInput], now: datetime, tables: Tables) -> int:
    batch = _Batch(db, new, now, tables)
    for entry in new:
        batch.place(entry)
    stories.add_members(db, batch.members, tables)
    stories.add_keys(db, batch.stored_keys, tables)
    return len(batch.joins)


def _story_input(entry: ComparedEntry, hints: tuple[str, ...] = ()) -> StoryInput:
    return StoryInput(
        id=entry.id,
        source_id=entry.source_id,
        title=entry.title,
        lead=entry.summary,
        at=entry.sort_at,
        page=entry.canonical_url,
        hints=hints,
        feed=entry.feed,
    )


def _hints(entry: ComparedEntry) -> tuple[str, ...]:
    uri_page = urls.canonical(entry.uri) or entry.uri if entry.uri == entry.guid else ""
    via = urls.canonical(entry.via) if entry.via else ""
    return tuple(sorted({via, uri_page} - {"", entry.canonical_url}))


class _Batch:
    """New entries, with all stored entries that may share a story with them."""

    def __init__(
        self, db: Connection, new: Sequence[StoryInput], now: datetime, tables: Tables
    ) -> None:
        self.day = now.toordinal()
        self.keys = {
            entry.id: clustering.keys(entry, is_recent=now - entry.at <= NEWS) for entry in new
        }
        self.by_key = stories.by_key(
            db, {key for keys in self.keys.values() for key in keys.lookups}, tables
        )
        wanted = {match for entry in new for match in self._matches(entry)}
        self.story_of = stories.of_entries(db, wanted, tables)
        begun = set(self.story_of.values())
        self.sources = stories.sources_of(db, begun, {entry.source_id for entry in new}, tables)
        firsts = begun | (wanted - self.story_of.keys())
        self.firsts = {
            entry.id: _story_input(entry) for entry in stories.compared(db, firsts).values()
        }
        self.origins = stories.origins(db, wanted - firsts)
        for first in self.firsts.values():
            self.origins[first.id] = first.source_id, first.feed
        self.members: list[Member] = []
        self.stored_keys: list[tuple[int, int, int]] = []
        self.joins: list[Join] = []

    def place(self, entry: StoryInput) -> None:
        """Add an entry to a story or none, and make it known to the following entries."""
        matches = self._matches(entry)
        joined = clustering.decide(entry, self._candidates(entry, matches)) if matches else None
        if joined is not None:
            self._join(entry, joined)
        self.firsts[entry.id] = entry
        self.origins[entry.id] = entry.source_id, entry.feed
        self._keep(entry, alone=joined is None)

    def _matches(self, entry: StoryInput) -> list[int]:
        """Return the entries that may share a story with an entry."""
        keys = self.keys[entry.id]
        if self.by_key.keys().isdisjoint(keys.lookups):  # as most are
            return []
        matches = clustering.nearest(keys, self.by_key)
        for key in (keys.page, keys.title, *keys.hint_lookups):
            matches += self.by_key.get(key, ())
        return matches

    def _candidates(self, entry: StoryInput, matches: Iterable[int]) -> list[Candidate]:
        keys = self.keys[entry.id]
        titled = self.by_key.get(keys.title, ())
        pages = self._stories(self.by_key.get(keys.page, ()), entry)
        hinted = self._stories(
            [entry_id for entry_id in titled if self._is_copy(entry_id, entry)], entry
        )
        for key in keys.hint_lookups:
            hinted |= self._stories(self.by_key.get(key, ()), entry)
        reused_title = self._is_reused(titled, entry)
        return [
            Candidate(
                story=story,
                first=self.firsts[story],
                sources=self.sources.get(story) or {self.firsts[story].source_id},
                same_page=story in pages,
                hinted=story in hinted,
                reused_title=reused_title,
            )
            for story in sorted({self.story_of.get(entry_id, entry_id) for entry_id in matches})
            if story in self.firsts
        ]

    def _is_copy(self, entry_id: int, entry: StoryInput) -> bool:
        """Return whether both are from one feed: with equal titles they are the same entry."""
        origin = self.origins.get(entry_id)
        return origin is not None and _canonical(origin[1]) == _canonical(entry.feed)

    def _stories(self, entry_ids: Collection[int], entry: StoryInput) -> set[int]:
        """Return the stories of entries with one key, none if a source used the key twice."""
        if self._is_reused(entry_ids, entry):
            return set()
        return {self.story_of.get(entry_id, entry_id) for entry_id in entry_ids}

    def _is_reused(self, entry_ids: Collection[int], entry: StoryInput) -> bool:
        sources = [self.origins[each][0] for each in entry_ids if each in self.origins]
        return len({*sources, entry.source_id}) <= len(sources)

    def _join(self, entry: StoryInput, joined: Join) -> None:
        story, first = joined.story, self.firsts[joined.story]
        self.joins.append(joined)
        if story not in self.sources:
            self.sources[story] = {first.source_id}
            self.story_of[story] = story
            self.members.append(
                Member(story=story, entry_id=story, source_id=first.source_id, at=first.at)
            )
        self.sources[story].add(entry.source_id)
        self.story_of[entry.id] = story
        self.members.append(
            Member(
                story=story,
                entry_id=entry.id,
                source_id=entry.source_id,
                at=entry.at,
                reason=joined.reason,
                similarity=joined.similarity,
                evidence=joined.evidence,
            )
        )

    def _keep(self, entry: StoryInput, *, alone: bool) -> None:
        keys, long, short = self.keys[entry.id], self.day + KEPT.days, self.day + WINDOW.days
        kept = [(key, long) for key in (keys.page, keys.title, *keys.hints) if key]
        if alone:  # only the first entry of a story is compared
            kept += [(key, short) for key in (*keys.near, *keys.rare)]
        for key, until in kept:
            self.stored_keys.append((key, entry.id, until))
            known = self.by_key.setdefault(key, [])
            known.append(entry.id)
            del known[: -stories.SLOTS]
