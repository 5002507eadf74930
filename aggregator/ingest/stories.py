"""New entries on their way into stories: what the index finds, decided and kept.

    new entries | keys | what others have them | decide, one after another | members and keys

All lookups are made once for a batch, however many entries it has. An entry that rules drop is
looked at too: should a rule be taken back, its story is known. One in quarantine is not, being
most likely a second copy of what its source has published before.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from aggregator.clean import urls
from aggregator.dedupe import clustering as deciding
from aggregator.dedupe.clustering import WINDOW, Candidate, Join, StoryInput
from aggregator.store.database.connection import Connection
from aggregator.store.entries import stories
from aggregator.store.entries.stories import ComparedEntry, Member

BATCH = 250
"""Entries that are looked up together: so few that the words of all are still at hand."""

KEPT = timedelta(days=30)
"""So long a page or title is remembered: whether it is used again and again shows by then."""

NEWS = timedelta(days=14)
"""What is older when it comes is the backlog of a new source, found by page, title and hints only:
most of it is like nothing that is stored, and to ask costs most when all sources are new."""


def follow(db: Connection, entry_ids: Sequence[int], now: datetime) -> int:
    """Let new entries join or begin stories, in the caller's transaction; return how many joined.

    An entry is given once, when it is new.
    """
    new = [
        _report(one)
        for one in stories.compared(db, entry_ids).values()
        if not one.hidden.startswith("quarantine")
    ]
    return sum(_follow(db, new[start : start + BATCH], now) for start in range(0, len(new), BATCH))


def _follow(db: Connection, new: Sequence[StoryInput], now: datetime) -> int:
    batch = _Batch(db, new, now)
    for report in new:
        batch.place(report)
    stories.add_members(db, batch.members)
    stories.add_keys(db, batch.kept)
    return len(batch.joins)


def _report(entry: ComparedEntry) -> StoryInput:
    own = urls.canonical(entry.uri) or entry.uri if entry.uri == entry.guid else ""
    via = urls.canonical(entry.via) if entry.via else ""
    return StoryInput(
        id=entry.id,
        source_id=entry.source_id,
        title=entry.title,
        lead=entry.summary,
        at=entry.sort_at,
        page=entry.canonical_url,
        hints=tuple(sorted({via, own} - {"", entry.canonical_url})),
        feed=entry.feed,
    )


class _Batch:
    """New reports, and all that is stored which any of them may have to do with."""

    def __init__(self, db: Connection, new: Sequence[StoryInput], now: datetime) -> None:
        self.day = now.toordinal()
        self.keys = {
            report.id: deciding.keys(report, is_recent=now - report.at <= NEWS) for report in new
        }
        self.by_key = stories.by_key(
            db, {key for keys in self.keys.values() for key in keys.lookups}
        )
        wanted = {found for report in new for found in self._found(report)}
        self.story = stories.of_entries(db, wanted)
        found = stories.members(db, set(self.story.values()))
        self.sources = stories.sources_of(found)
        known = stories.compared(db, wanted | set(self.story.values()))
        self.reports = {one.id: _report(one) for one in known.values()}
        self.members: list[Member] = []
        self.kept: list[tuple[int, int, int]] = []
        self.joins: list[Join] = []

    def place(self, report: StoryInput) -> None:
        """Let a report join a story or stand alone, and be found by those that follow."""
        found = self._found(report)
        joined = deciding.decide(report, self._candidates(report, found)) if found else None
        if joined is not None:
            self._join(report, joined)
        self.reports[report.id] = report
        self._keep(report, alone=joined is None)

    def _found(self, report: StoryInput) -> list[int]:
        """Return the entries that may be of one story with a report."""
        keys = self.keys[report.id]
        if self.by_key.keys().isdisjoint(keys.lookups):  # as most are
            return []
        found = deciding.nearest(keys, self.by_key)
        for key in (keys.page, keys.title, *keys.hint_lookups):
            found += self.by_key.get(key, ())
        return found

    def _candidates(self, report: StoryInput, found: Iterable[int]) -> list[Candidate]:
        keys = self.keys[report.id]
        titled = self.by_key.get(keys.title, ())
        pages = self._stories(self.by_key.get(keys.page, ()), report)
        hinted = self._stories([one for one in titled if self._is_copy(one, report)], report)
        for key in keys.hint_lookups:
            hinted |= self._stories(self.by_key.get(key, ()), report)
        reused_title = self._is_reused(titled, report)
        return [
            Candidate(
                story=story,
                first=self.reports[story],
                sources=self.sources.get(story) or {self.reports[story].source_id},
                same_page=story in pages,
                hinted=story in hinted,
                reused_title=reused_title,
            )
            for story in sorted({self.story.get(one, one) for one in found})
            if story in self.reports
        ]

    def _is_copy(self, found: int, report: StoryInput) -> bool:
        """Whether both are from one feed: under one title that is the same entry."""
        other = self.reports.get(found)
        return other is not None and urls.canonical(other.feed) == urls.canonical(report.feed)

    def _stories(self, found: Collection[int], report: StoryInput) -> set[int]:
        """Return the stories of entries with one key, none if a source has it more than once."""
        if self._is_reused(found, report):
            return set()
        return {self.story.get(entry_id, entry_id) for entry_id in found}

    def _is_reused(self, found: Collection[int], report: StoryInput) -> bool:
        sources = [self.reports[one].source_id for one in found if one in self.reports]
        return len({*sources, report.source_id}) <= len(sources)

    def _join(self, report: StoryInput, joined: Join) -> None:
        story, first = joined.story, self.reports[joined.story]
        self.joins.append(joined)
        if story not in self.sources:
            self.sources[story] = {first.source_id}
            self.story[story] = story
            self.members.append(
                Member(story=story, entry_id=story, source_id=first.source_id, at=first.at)
            )
        self.sources[story].add(report.source_id)
        self.story[report.id] = story
        self.members.append(
            Member(
                story=story,
                entry_id=report.id,
                source_id=report.source_id,
                at=report.at,
                reason=joined.reason,
                similarity=joined.similarity,
            )
        )

    def _keep(self, report: StoryInput, *, alone: bool) -> None:
        keys, long, short = self.keys[report.id], self.day + KEPT.days, self.day + WINDOW.days
        kept = [(key, long) for key in (keys.page, keys.title, *keys.hints) if key]
        if alone:  # only what a story began with is compared
            kept += [(key, short) for key in keys.near]
        for key, until in kept:
            self.kept.append((key, report.id, until))
            known = self.by_key.setdefault(key, [])
            known.append(report.id)
            del known[: -stories.SLOTS]
