"""The entries of a document with their keys, without the volatile parameters of links.

known parameters | contradicted | keys | volatile ones in this document | keys again
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aggregator.clean import urls
from aggregator.dedupe import identity, link_parameters
from aggregator.models.entry import Entry, KnownEntry
from aggregator.store.database.connection import Connection
from aggregator.store.entries import aliases, entries
from aggregator.store.sources.sources import SourceState

_E = TypeVar("_E", Entry, KnownEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The new or changed entries of a document.

    Args:
        entries: As published, but for `canonical_url`, which has no volatile parameters.
        keys: The keys of each.
        aliases: The stored entries that these keys stand for.
        volatile: The volatile parameters of the source's links.
    """

    entries: tuple[Entry, ...]
    keys: tuple[identity.EntryKeys, ...]
    aliases: dict[bytes, int]
    volatile: frozenset[str]


def read(
    db: Connection,
    state: SourceState,
    published: Sequence[Entry],
    last: Collection[int],
    unchanged: Collection[int],
) -> Incoming:
    """Return a document's entries, after a search for volatile parameters in their links.

    Args:
        last: The ids of the last document's entries; none if it can't be compared with this one.
        unchanged: Those with unchanged items.
    """
    known = frozenset(state.link_parameters)
    known -= link_parameters.contradicted(known, published)
    incoming = _with_keys(db, state, published, known)
    if not _may_be_volatile(incoming):
        return incoming
    before = tuple(get_stored(db, last, known).values())
    document = link_parameters.LastDocument(entries=before, kept=unchanged)
    found = link_parameters.volatile(incoming.entries, document)
    if not found or len(known | found) > link_parameters.MOST:
        return incoming
    incoming = _with_keys(db, state, published, known | found)
    incoming.aliases.update(_keys_today(state, before, incoming.volatile) | incoming.aliases)
    return incoming


def get_stored(
    db: Connection, entry_ids: Iterable[int], volatile: Collection[str]
) -> dict[int, KnownEntry]:
    """Return stored entries by id, their canonical URLs without volatile parameters."""
    known = entries.get_known(db, entry_ids)
    return {entry_id: _without(entry, volatile) for entry_id, entry in known.items()}


def _with_keys(
    db: Connection, state: SourceState, published: Sequence[Entry], volatile: frozenset[str]
) -> Incoming:
    entry_keys = tuple(_keys(state, entry, volatile) for entry in published)
    return Incoming(
        entries=tuple(_without(entry, volatile) for entry in published),
        keys=entry_keys,
        aliases=aliases.find(db, [key for keys in entry_keys for key in keys.present]),
        volatile=volatile,
    )


def _keys(state: SourceState, entry: _E, volatile: Collection[str]) -> identity.EntryKeys:
    """Return an entry's keys; a guid that is the link is read without volatile parameters too."""
    if volatile and entry.guid and urls.canonical(entry.guid) == entry.canonical_url:
        entry = replace(entry, guid=link_parameters.without(entry.guid, volatile))
    return identity.keys(state.identity, _without(entry, volatile))


def _without(entry: _E, volatile: Collection[str]) -> _E:
    page = link_parameters.without(entry.canonical_url, volatile)
    return entry if page == entry.canonical_url else replace(entry, canonical_url=page)


def _may_be_volatile(incoming: Incoming) -> bool:
    """Whether an entry with a known text has an unknown link with parameters."""
    return any(
        keys.link not in incoming.aliases
        and keys.text in incoming.aliases
        and link_parameters.parameters(entry.canonical_url)
        for entry, keys in zip(incoming.entries, incoming.keys, strict=True)
    )


def _keys_today(
    state: SourceState, last: Iterable[KnownEntry], volatile: Collection[str]
) -> dict[bytes, int]:
    """Return the guid and link keys that the last document's entries have from now on."""
    pairs = [(_keys(state, entry, volatile), entry.id) for entry in last]
    return {key: entry_id for keys, entry_id in pairs for key in (keys.guid, keys.link) if key}
