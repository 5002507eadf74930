"""Retractions: entries that their publisher removed from its feed are marked, or hidden.

The absences of a source are counted from poll to poll, in `SourceState.absences`; the decisions are
those of `policy.retraction`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from aggregator.models.entry import RETRACTED, Absence, StoredEntry
from aggregator.policy import retraction
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.queries import archives
from aggregator.store.sources.sources import SourceState


def after_document(
    db: Connection,
    state: SourceState,
    before: Sequence[int],
    after: Sequence[int],
    new: Collection[int],
    now: datetime,
) -> tuple[Absence, ...]:
    """Return the absences after a whole document.

    Args:
        before, after: The entries of the last document and of this one, as `StoredDocument` has
            them.
        new: The entries that were stored with it.
    """
    if not state.absences and set(before) <= {*after, 0}:
        return ()  # nothing left
    found = retraction.compare(before, after)
    absences = retraction.still_absent(state.absences, found, new)
    departures = retraction.departures(before, found, now)
    if departures:
        ids = {id for each in departures for id in (each.entry_id, each.above, each.below)}
        places = entries.get_places(db, ids.union(found.added))
        absences += [
            each for each in departures if retraction.is_between(each, found.added, places)
        ]
    return tuple(absences[: retraction.MOST_WATCHED])


def after_unchanged(state: SourceState) -> tuple[Absence, ...]:
    """Return the absences after a poll whose document is the last one."""
    return tuple(replace(each, polls=each.polls + 1) for each in state.absences)


def mark(
    db: Connection,
    state: SourceState,
    absences: Sequence[Absence],
    rulebook: Rulebook,
    now: datetime,
) -> tuple[Absence, ...]:
    """Mark the entries that have been absent for long enough; return the other absences."""
    due = {each.entry_id: each for each in absences if each.polls >= retraction.POLLS}
    for stored in entries.get_for_ruling(db, due):
        marked = replace(stored, retracted=due[stored.id].since)
        apply_rules(db, marked, rulebook, state.sections, now)
    return tuple(each for each in absences if each.entry_id not in due)


def restore(
    db: Connection,
    state: SourceState,
    entry_ids: Iterable[int],
    rulebook: Rulebook,
    now: datetime,
) -> bool:
    """Take the mark off entries that are in the feed again; return whether any had one."""
    back = entries.get_retracted(db, entry_ids)
    for stored in back:
        apply_rules(db, replace(stored, retracted=None), rulebook, state.sections, now)
    return bool(back)


def apply_rules(
    db: Connection, stored: StoredEntry, rulebook: Rulebook, sections: Sequence[str], now: datetime
) -> None:
    """Apply the rules to a stored entry; archives lose it, or get it back, with a retraction."""
    ruling = rulebook.evaluate_stored(sections, stored)
    entries.apply_ruling(db, stored, ruling, sections, now)
    if RETRACTED in (stored.hidden, ruling.dropped) and stored.hidden != ruling.dropped:
        archives.forget_entry(db, stored.id)
        change_log.bump(db, [change_log.ARCHIVES], now)
