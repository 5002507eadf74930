"""Decide which entries of a feed their publisher has retracted. Pure.

An entry that left its feed may have been retracted, or the feed may be full, cut, filtered, sorted
in another way or a random choice. Only this counts as a retraction:

    it stood between an older and a newer entry, which both stay
    nothing newer came in when it left: in a feed with a place for so many items, or so many of each
    author, newer items push others out
    the others kept their order, and few left with it
    it stays away for three polls, in which no other entry reappears among those that stay

A retraction beside a new entry is therefore not noticed. The other error is worse: readers would
be told to delete an entry that stands.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.models.entry import Absence

POLLS = 3
"""Successful polls in a row without an entry after which it counts as retracted."""

MOST_OF = 5
"""One in so many entries of a document may be retracted at once, and always one."""

MOST_WATCHED = 50
"""Absences of one source that are counted at a time."""

Place = tuple[datetime, int]
"""The place of an entry in the order of lists: later is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The differences of two documents of a feed.

    Args:
        kept: The entries of both, in the order of the later one.
        left: Those that are only in the earlier one.
        added: Those that are only in the later one.
        inserted: Those of `added` that stand between kept ones.
        is_ordered: Whether the kept ones are in the same order in both, and each item is known.
    """

    kept: tuple[int, ...]
    left: tuple[int, ...]
    added: tuple[int, ...]
    inserted: tuple[int, ...]
    is_ordered: bool


def compare(before: Sequence[int], after: Sequence[int]) -> Comparison:
    """Compare two documents, given as the entries of their items in order, 0 for none."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    kept = tuple(entry for entry in new if entry in old and entry)
    places = [place for place, entry in enumerate(new) if entry in old and entry]
    inner = slice(places[0], places[-1]) if places else slice(0)
    return Comparison(
        kept=kept,
        left=tuple(entry for entry in old if entry not in new and entry),
        added=tuple(entry for entry in new if entry not in old and entry),
        inserted=tuple(entry for entry in [*new][inner] if entry not in old and entry),
        is_ordered=kept == tuple(entry for entry in old if entry in new and entry)
        and list(after).count(0) <= list(before).count(0),
    )


def departures(before: Sequence[int], found: Comparison, now: datetime) -> list[Absence]:
    """Return the entries that left the middle of a document, if few did and the order stayed."""
    if not (found.left and found.is_ordered):
        return []
    kept, absences = set(found.kept), []
    entries = [entry for entry in dict.fromkeys(before) if entry]
    for place, entry in enumerate(entries):
        if entry in kept:
            continue
        above = next((each for each in reversed(entries[:place]) if each in kept), 0)
        below = next((each for each in entries[place:] if each in kept), 0)
        if above and below:
            absences.append(Absence(entry_id=entry, above=above, below=below, since=now))
    return absences if len(absences) <= max(1, len(entries) // MOST_OF) else []


def is_between(absence: Absence, added: Collection[int], places: Mapping[int, Place]) -> bool:
    """Whether an entry was between an older and a newer one, and nothing newer was added."""
    try:
        above, own, below = (
            places[entry] for entry in (absence.above, absence.entry_id, absence.below)
        )
    except KeyError:  # expired meanwhile
        return False
    is_sorted = above > own > below or above < own < below
    return is_sorted and all(entry in places and places[entry] < own for entry in added)


def still_absent(
    absences: Sequence[Absence], found: Comparison, new: Collection[int]
) -> list[Absence]:
    """Return the absences that a document confirms, with one more poll.

    Args:
        new: The entries of the document that were stored with it.
    """
    if not found.is_ordered or any(entry not in new for entry in found.inserted):
        return []
    present = {*found.kept, *found.added}
    seen = present.union(found.left)  # a push may have brought it between the polls
    return [
        replace(absence, polls=absence.polls + 1)
        for absence in absences
        if absence.entry_id not in seen and {absence.above, absence.below} <= present
    ]
