"""Corrections of stories: pairs of entries that the configuration keeps apart or joins."""

from collections.abc import Iterable

from aggregator.models.config import StoryCorrections
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, stories
from aggregator.store.entries.stories import Member

REASON = "joined by the configuration"


def apply(db: Connection, corrections: StoryCorrections) -> int:
    """Bring stories in line with the corrections; return how many pairs changed.

    A pair of which an entry is unknown or expired is skipped, and so is a pair of one source.
    """
    joined = sum(_join(db, *pair) for pair in _known(db, corrections.together))
    return joined + sum(_part(db, *pair) for pair in _known(db, corrections.apart))


def _known(db: Connection, pairs: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """Return the ids of pairs of which both entries are stored, the earlier entry first."""
    found = []
    for pair in pairs:
        ids = sorted(stored.id for key in pair if (stored := entries.find(db, key)))
        if len(set(ids)) == 2:
            found.append((ids[0], ids[1]))
    return found


def _part(db: Connection, first: int, second: int) -> bool:
    """Take the later of two entries out of their common story; the story keeps its first."""
    story_of = stories.of_entries(db, [first, second])
    if first not in story_of or story_of[first] != story_of.get(second):
        return False
    stories.leave(db, first if second == story_of[second] else second)
    return True


def _join(db: Connection, first: int, second: int) -> bool:
    """Bring two entries into the story of the earlier one."""
    story_of = stories.of_entries(db, [first, second])
    stored = entries.get_many(db, [first, second])
    story = story_of.get(first, first)
    if story == story_of.get(second) or stored[first].source_id == stored[second].source_id:
        return False
    moving = [second]
    if story_of.get(second) == second:  # the first of another story, which comes along
        moving = [member.entry_id for member in stories.members(db, [second])]
    for entry_id in moving:
        stories.leave(db, entry_id)
    compared = stories.compared(db, [story, *moving])
    stories.add_members(
        db,
        [
            Member(
                story=story,
                entry_id=entry.id,
                source_id=entry.source_id,
                at=entry.sort_at,
                reason="" if entry.id == story else REASON,
            )
            for entry in compared.values()
        ],
    )
    return True
