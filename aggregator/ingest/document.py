"""What a document brings to a source: entries that are new, changed, gone from it or back.

document | standing items | decide | apply | remember
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from aggregator.clean import entry as entry_cleaner
from aggregator.clean import fingerprint, urls
from aggregator.dedupe import identity
from aggregator.models.entry import Entry, RuleResult
from aggregator.models.poll import ParsedDocument
from aggregator.models.urls import tag_authority
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database.connection import Connection
from aggregator.store.entries import aliases, entries
from aggregator.store.sources import documents
from aggregator.store.sources.documents import StoredDocument
from aggregator.store.sources.sources import SourceState

GAP_WINDOW = 5
"""Entries that a document must hold for a change of all of them to be a gap."""

_NO_HASH = bytes(16)
"""Keeps the place of an item among the hashes, and is the hash of none."""


NOT_COMPARED = frozenset({
    "guid",  # names the entry in our feeds, for good
    "link",  # may differ in tracking parameters; `canonical_url` is compared
    "published",  # many publishers date every build of their feed
    "updated",
    "summary",  # `fingerprint` says whether the visible text changed
    "content",
    "text",
    "fingerprint",
    "item_hash",
})  # fmt: skip
"""Fields of `Entry` whose change alone rewrites nothing: a rewrite makes every feed that holds the
entry a new document. A change of any other field is stored, and counts as no correction."""

_COMPARED = tuple(each.name for each in fields(Entry) if each.name not in NOT_COMPARED)


@dataclass(slots=True, kw_only=True)
class DocumentChanges:
    """What a document changed.

    Args:
        touched: Whether any view may look different though nothing is new.
        known: How many of its entries were stored before.
        gap: Why entries between the last document and this one may be missing, "" else.
        quarantine: Why its new entries are held back, "" when they are not.
    """

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    quarantine: str = ""
    touched: bool = False
    known: int = 0
    gap: str = ""


def ingest_document(
    db: Connection,
    state: SourceState,
    reading: ParsedDocument,
    *,
    rulebook: Rulebook,
    now: datetime,
    base_url: str,
    archive: bool = False,
    pushed: bool = False,
) -> DocumentChanges:
    """Store a document's entries and hashes, inside the caller's transaction.

    Its new entries are not in the search index yet: that is done for many documents at once, in
    the same transaction, and before the next document of the same source.

    Args:
        archive: Whether it is an older part of the feed, beside the document that is polled.
        rulebook: The rules in force.
        base_url: Our own address, whose host names the ids that we make.
        pushed: It came by itself, so what the next poll is compared with stays as it is.
    """
    return DocumentIngest(db, state, rulebook, now, base_url).read(
        reading, archive=archive, pushed=pushed
    )


class DocumentIngest:
    """One document on its way into the database."""

    def __init__(
        self,
        db: Connection,
        state: SourceState,
        rulebook: Rulebook,
        now: datetime,
        base_url: str,
    ) -> None:
        self.db, self.state, self.rulebook, self.now = db, state, rulebook, now
        self.base_url = base_url
        self.found = DocumentChanges()

    def read(self, reading: ParsedDocument, *, archive: bool, pushed: bool) -> DocumentChanges:
        """Store the document's entries and return what changed."""
        before = documents.get(self.db, self.state.id)
        standing = {} if archive else _standing(before, reading)
        own = [identity.keys(self.state.id, entry) for entry in reading.entries]
        known = aliases.find(self.db, [key for keys in own for key in keys.present])
        reread = _reread(before, reading)
        if before.body_hash and before.body_hash[:1] != reading.body_hash[:1]:
            known = self._texts_today(before) | known
        stored = entries.get_known(self.db, {*known.values(), *reread.values()})
        decision = identity.decide(
            reading.entries,
            own,
            aliases=known,
            known=stored,
            unchanged_items=frozenset(standing.values()),
            reread=reread,
            outdated=[
                each.id for each in stored.values() if fingerprint.is_outdated(each.fingerprint)
            ],
            last_poll=None if archive or not self.state.entries else self.state.last_ok,
        )
        ids = self._apply(reading.entries, own, decision)
        self.found.quarantine = decision.quarantine
        seen = {*standing.values(), *(same.id for same in decision.same)}
        self.found.known = len(seen)
        if pushed:
            self._add_to(before, ids.values())
        elif archive:  # not in the feed's own document, so retention counts from now
            entries.mark_left(self.db, self.found.new, self.now)
        else:
            self._remember(before, reading, standing, ids, decision.repeated)
            self._look_for_gap(before, reading, seen)
        return self.found

    def _look_for_gap(
        self, before: StoredDocument, reading: ParsedDocument, seen: set[int]
    ) -> None:
        """Note when no entry of the previous document is left: others may have come and gone."""
        window, new = set(before.entry_ids) - {0}, len(self.found.new)
        is_gap = min(len(window), new) >= GAP_WINDOW and not window & seen
        if is_gap and reading.whole and not self.found.quarantine:
            since = f" of {self.state.last_ok:%Y-%m-%d %H:%M}" if self.state.last_ok else ""
            self.found.gap = (
                f"{new} new entries and none of the {len(window)} entries of the last"
                f" document{since}; entries between them may be missing"
            )

    def _apply(
        self,
        incoming: Sequence[Entry],
        own: Sequence[identity.Keys],
        decision: identity.Decision,
    ) -> dict[int, int]:
        """Write what was decided and return the entry's id for each position."""
        ids: dict[int, int] = {}
        by_key: dict[bytes, int] = {}
        quiet = [same.id for same in decision.same if not same.changed]
        written = entries.get_as_published(self.db, quiet)
        for same in decision.same:
            entry = incoming[same.position]
            is_upgrade = not same.changed and fingerprint.is_outdated(written[same.id].fingerprint)
            if same.changed or is_upgrade or _comparable(written[same.id]) != _comparable(entry):
                entries.revise(
                    self.db, same.id, entry, changed=self.now if same.changed else None,
                    sections=self.state.sections, ruling=self._ruling(entry),
                    matched=same.matched, is_upgrade=is_upgrade,
                )  # fmt: skip
                self.found.touched |= not is_upgrade
            if same.changed:
                self.found.changed.append(same.id)
            ids[same.position] = same.id
            by_key |= dict.fromkeys(same.aliases, same.id)
        # Oldest first, as most documents have the newest on top: ids follow publication.
        fresh = decision.new[::-1]
        self.found.new = entries.insert(
            self.db,
            self.state.id,
            [self._fresh(incoming[new.position], own[new.position], new) for new in fresh],
            first_seen=self.now,
            sections=self.state.sections,
        )
        for new, entry_id in zip(fresh, self.found.new, strict=True):
            ids[new.position] = entry_id
            by_key |= dict.fromkeys(new.aliases, entry_id)
        aliases.add(self.db, by_key)
        aliases.void(self.db, decision.void)
        return ids

    def _texts_today(self, before: StoredDocument) -> dict[bytes, int]:
        """Return the text keys that the last document's entries would have today.

        Entries without guid and link are known by the fingerprint of their text alone, and those
        stored by an earlier version of the reader have another one.
        """
        written = entries.get_as_published(self.db, set(before.entry_ids))
        return {
            identity.keys(self.state.id, entry_cleaner.with_fingerprint(entry)).text: entry_id
            for entry_id, entry in written.items()
            if fingerprint.is_outdated(entry.fingerprint)
        }

    def _fresh(self, entry: Entry, own: identity.Keys, new: identity.New) -> entries.NewEntry:
        ruling = self._ruling(entry)
        return entries.NewEntry(
            entry=entry,
            uri=self._uri(entry, own, new),
            sort_at=min(entry.published or self.now, self.now),
            hidden=ruling.dropped or (f"quarantine: {new.quarantine}" if new.quarantine else None),
            ruling=ruling,
            known_by=own.names_in(new.aliases),
        )

    def _ruling(self, entry: Entry) -> RuleResult:
        return self.rulebook.evaluate(self.state.id, self.state.sections, entry)

    def _uri(self, entry: Entry, own: identity.Keys, new: identity.New) -> str:
        """Return the entry's id for our feeds: the publisher's, else a tag: URI (RFC 4151).

        A guid that several entries have is none: readers would show one of them.
        """
        if own.guid in new.aliases and urls.is_iri(entry.guid):
            return entry.guid
        key = (new.aliases or (entry.fingerprint,))[0].hex()
        return f"{self._tag}/{key}"

    @cached_property
    def _tag(self) -> str:
        day = (self.state.added or self.now).astimezone(UTC).date()
        return f"tag:{tag_authority(self.base_url)},{day}:{quote(self.state.id)}"

    def _add_to(self, before: StoredDocument, ids: Iterable[int]) -> None:
        """Count pushed entries among those of the document: the next poll tells if they stay."""
        known = set(before.entry_ids)
        added = (entry_id for entry_id in ids if entry_id not in known)
        entry_ids = (*before.entry_ids, *added)
        documents.save(self.db, self.state.id, replace(before, entry_ids=entry_ids))

    def _remember(
        self,
        before: StoredDocument,
        reading: ParsedDocument,
        standing: Mapping[bytes, int],
        ids: Mapping[int, int],
        repeated: Sequence[int],
    ) -> None:
        """Keep the document's hashes and entries; note which entries left it or came back."""
        by_hash = dict(standing)
        for position, entry_id in ids.items():
            by_hash[reading.entries[position].item_hash] = entry_id
        items = _split(reading.item_hashes)
        # What repeats another item is read again, as it may be the one that stays.
        again = {reading.entries[position].item_hash for position in repeated} - by_hash.keys()
        if reading.item_hashes:
            entry_ids = tuple(by_hash.get(item, 0) for item in items)
        else:
            entry_ids = tuple(ids.get(position, 0) for position in range(len(reading.entries)))
        if not reading.whole:  # the others still stand in what this is a part of
            entry_ids = (*before.entry_ids, *(set(entry_ids) - set(before.entry_ids)))
        if reading.whole:
            gone = set(before.entry_ids).difference(entry_ids, [0])
            entries.mark_left(self.db, gone, self.now)
            back = set(entry_ids).difference(before.entry_ids, self.found.new, [0])
            entries.mark_present(self.db, back)
        documents.save(
            self.db,
            self.state.id,
            StoredDocument(
                body_hash=reading.body_hash,
                item_hashes=b"".join(_NO_HASH if item in again else item for item in items),
                entry_ids=entry_ids,
            ),
        )


def _standing(before: StoredDocument, reading: ParsedDocument) -> dict[bytes, int]:
    """Return the entries whose items stand unchanged in the new document, by item hash."""
    new = {entry.item_hash for entry in reading.entries}
    present = set(_split(reading.item_hashes)) - new
    pairs = zip(_split(before.item_hashes), before.entry_ids, strict=False)
    return {item: entry_id for item, entry_id in pairs if entry_id and item in present}


def _reread(before: StoredDocument, reading: ParsedDocument) -> dict[int, int]:
    """Return the stored entry of each position whose item has the bytes of the last document.

    Such items are only read again by another version of the reader, whose guid, link and text may
    all be better ones.
    """
    pairs = zip(_split(before.item_hashes), before.entry_ids, strict=False)
    by_hash = {item: entry_id for item, entry_id in pairs if entry_id}
    return {
        position: by_hash[entry.item_hash]
        for position, entry in enumerate(reading.entries)
        if entry.item_hash in by_hash
    }


def _comparable(entry: Entry) -> tuple[object, ...]:
    """Return the values whose change is worth rewriting an entry with an equal fingerprint."""
    return tuple(_without_tracking(name, getattr(entry, name)) for name in _COMPARED)


def _without_tracking(name: str, value: Any) -> object:
    if name in ("via", "comments"):
        return urls.canonical(value)
    if name == "enclosures":
        return [replace(each, url=urls.canonical(each.url)) for each in value]
    return value


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + 16] for start in range(0, len(hashes), 16)]
