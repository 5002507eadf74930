"""Parsed documents stored: entries that are new, changed, gone from the document or back in it.

document | unchanged items | decide | apply | save hashes and entries
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from aggregator.clean import fingerprint, shown, urls
from aggregator.dedupe import identity, link_parameters
from aggregator.ingest import incoming, retractions
from aggregator.ingest.document_changes import DocumentChanges
from aggregator.models.config import Content
from aggregator.models.entry import Entry, RuleResult
from aggregator.models.poll import ParsedDocument
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import site_id
from aggregator.store.database.connection import Connection
from aggregator.store.entries import aliases, entries
from aggregator.store.sources import documents
from aggregator.store.sources.documents import StoredDocument
from aggregator.store.sources.sources import SourceState

GAP_WINDOW = 5
"""Entries that two documents must have at least for a gap between them."""

_NO_HASH = bytes(16)
"""The hash stored for an item that is to be parsed again."""


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
    "text_from",
    "edits",
})  # fmt: skip
"""Fields of `Entry` whose change alone rewrites nothing: a rewrite makes every feed that holds the
entry a new document. A change of any other field is stored, and counts as no correction."""

_COMPARED = tuple(each.name for each in fields(Entry) if each.name not in NOT_COMPARED)


def ingest_document(
    db: Connection,
    state: SourceState,
    parsed: ParsedDocument,
    *,
    rulebook: Rulebook,
    now: datetime,
    content: Content = Content.FEED,
    archive: bool = False,
    pushed: bool = False,
) -> DocumentChanges:
    """Store a document's entries and hashes, in the caller's transaction.

    The caller adds its new entries to the search index: for many documents at once, in the same
    transaction, and before the next document of the same source.

    Args:
        archive: Whether it is an older part of the feed, not the polled document.
        content: Which text of its entries is stored; rules match all of the feed's.
        rulebook: The rules in force.
        pushed: Whether a hub pushed it: the stored hashes of the polled document then stay.
    """
    ingest = DocumentIngest(db, state, rulebook, now, content)
    return ingest.store(parsed, archive=archive, pushed=pushed)


class DocumentIngest:
    """One document on its way into the database, see `ingest_document`."""

    def __init__(
        self,
        db: Connection,
        state: SourceState,
        rulebook: Rulebook,
        now: datetime,
        content: Content,
    ) -> None:
        self.db, self.state, self.rulebook, self.now = db, state, rulebook, now
        self.content = content
        self.changes = DocumentChanges(absences=state.absences)
        self.volatile: frozenset[str] = frozenset()

    def store(self, parsed: ParsedDocument, *, archive: bool, pushed: bool) -> DocumentChanges:
        """Store the document's entries and return the changes."""
        before = documents.get(self.db, self.state.id)
        unchanged_items = {} if archive else _unchanged_items(before, parsed)
        last = () if archive else before.entry_ids
        found = incoming.read(
            self.db, self.state, parsed.entries, last, set(unchanged_items.values())
        )
        self.volatile = found.volatile
        self.changes.link_parameters = tuple(sorted(found.volatile))
        parsed = replace(parsed, entries=found.entries)
        entry_keys, known = found.keys, found.aliases
        reread = _reread(before, parsed)
        if before.body_hash and before.body_hash[:1] != parsed.body_hash[:1]:
            known = self._texts_today(before) | known
        entry_ids = {*known.values(), *reread.values()}
        stored = incoming.get_stored(self.db, entry_ids, found.volatile)
        moved = identity.moved_entries(parsed.entries, entry_keys, known, stored)
        decision = identity.decide(
            parsed.entries,
            entry_keys,
            aliases=known,
            known=stored,
            unchanged_items=frozenset(unchanged_items.values()),
            reread=reread,
            outdated=[
                each.id for each in stored.values() if fingerprint.is_outdated(each.fingerprint)
            ],
            texts={
                entry_id: entry.text
                for entry_id, entry in entries.get_as_published(self.db, moved).items()
            },
            last_poll=None if archive or not self.state.entries else self.state.last_ok,
        )
        ids = self._apply(parsed.entries, entry_keys, decision)
        self.changes.quarantine = decision.quarantine
        seen = {*unchanged_items.values(), *(same.id for same in decision.same)}
        self.changes.known = len(seen)
        if pushed or archive:
            self._restore(seen)
        if pushed:
            self._add_to(before, ids.values())
        elif archive:  # not in the feed's own document, so retention counts from now
            entries.mark_left(self.db, self.changes.new, self.now)
        else:
            self._save(before, parsed, unchanged_items, ids, decision.repeated)
            self._look_for_gap(before, parsed, seen)
        return self.changes

    def _look_for_gap(self, before: StoredDocument, parsed: ParsedDocument, seen: set[int]) -> None:
        """Note a gap: no entry of the previous document is left, so others may be missed."""
        window, new = set(before.entry_ids) - {0}, len(self.changes.new)
        is_gap = min(len(window), new) >= GAP_WINDOW and not window & seen
        if is_gap and parsed.whole and not self.changes.quarantine:
            since = f" of {self.state.last_ok:%Y-%m-%d %H:%M}" if self.state.last_ok else ""
            self.changes.gap = (
                f"{new} new entries and none of the {len(window)} entries of the last"
                f" document{since}; entries between them may be missing"
            )

    def _revise(self, same: identity.Same, published: Entry, known: Entry | None) -> None:
        """Write a known entry, where it differs from the one that is written."""
        entry = shown.reduce(published, self.content)
        written = None if same.changed else known
        changed = same.changed and not self._is_unseen(known, entry)
        is_upgrade = written is not None and fingerprint.is_outdated(written.fingerprint)
        if written is None or is_upgrade or self._differs(written, entry):
            entries.revise(
                self.db, same.id, entry, now=self.now, changed=changed,
                sections=self.state.sections, ruling=self._ruling(published),
                matched=same.matched, is_upgrade=is_upgrade,
            )  # fmt: skip
            self.changes.touched |= not is_upgrade
        elif self.volatile and written.link != entry.link:
            entries.replace_link(self.db, same.id, entry.link)
        if changed:
            self.changes.changed.append(same.id)

    def _is_unseen(self, known: Entry | None, entry: Entry) -> bool:
        """Whether a change is in the part of the text that `content` leaves out."""
        if known is None or self.content not in (Content.EXCERPT, Content.LINK):
            return False
        return (known.title, known.content) == (entry.title, entry.content)

    def _differs(self, written: Entry, entry: Entry) -> bool:
        """Whether an entry differs from the stored one in a value that is compared."""
        return any(
            self._comparable(name, getattr(written, name))
            != self._comparable(name, getattr(entry, name))
            for name in _COMPARED
        )

    def _comparable(self, name: str, value: Any) -> object:
        if name in ("via", "comments"):
            return self._page(value)
        if name == "enclosures":
            return [replace(each, url=self._page(each.url)) for each in value]
        return value

    def _page(self, url: str) -> str:
        return link_parameters.without(urls.canonical(url), self.volatile)

    def _apply(
        self,
        published: Sequence[Entry],
        entry_keys: Sequence[identity.EntryKeys],
        decision: identity.Decision,
    ) -> dict[int, int]:
        """Write the decision and return the entry id of each position."""
        ids: dict[int, int] = {}
        by_key: dict[bytes, int] = {}
        written = entries.get_as_published(self.db, [same.id for same in decision.same])
        for same in decision.same:
            entry, known = published[same.position], written.get(same.id)
            if not fingerprint.is_incomplete(entry.fingerprint):
                if same.changed:
                    self.changes.feed_lengths[same.id] = len(entry.text)
                entry = _with_page_text(entry, known)
                self._revise(same, entry, known)
            ids[same.position] = same.id
            by_key |= dict.fromkeys(same.aliases, same.id)
        # Oldest first, because most documents begin with the newest: ids follow publication.
        new_entries = decision.new[::-1]
        self.changes.new = entries.insert(
            self.db,
            self.state.id,
            [
                self._new(published[new.position], entry_keys[new.position], new)
                for new in new_entries
            ],
            first_seen=self.now,
            sections=self.state.sections,
        )
        for new, entry_id in zip(new_entries, self.changes.new, strict=True):
            ids[new.position] = entry_id
            by_key |= dict.fromkeys(new.aliases, entry_id)
        aliases.add(self.db, by_key)
        aliases.void(self.db, decision.void)
        return ids

    def _texts_today(self, before: StoredDocument) -> dict[bytes, int]:
        """Return the text keys that the last document's entries would have today.

        Entries without guid and link are identified only by the fingerprint of their text, and
        earlier versions of the program stored another fingerprint.
        """
        written = entries.get_as_published(self.db, set(before.entry_ids))
        return {
            identity.keys(self.state.identity, fingerprint.with_fingerprint(entry)).text: entry_id
            for entry_id, entry in written.items()
            if fingerprint.is_outdated(entry.fingerprint)
        }

    def _new(
        self, entry: Entry, entry_keys: identity.EntryKeys, new: identity.New
    ) -> entries.NewEntry:
        ruling = self._ruling(entry)
        return entries.NewEntry(
            entry=shown.reduce(entry, self.content),
            uri=self._uri(entry, entry_keys, new),
            sort_at=min(entry.published or self.now, self.now),
            hidden=ruling.dropped or (f"quarantine: {new.quarantine}" if new.quarantine else None),
            ruling=ruling,
            known_by=entry_keys.names_in(new.aliases),
        )

    def _ruling(self, entry: Entry) -> RuleResult:
        return self.rulebook.evaluate(self.state.id, self.state.sections, entry)

    def _uri(self, entry: Entry, entry_keys: identity.EntryKeys, new: identity.New) -> str:
        """Return the entry's id for our feeds: the publisher's, else a tag: URI (RFC 4151).

        A guid of several entries is not used: feed readers would show only one of them.
        """
        if entry_keys.guid in new.aliases and urls.is_iri(entry.guid):
            return entry.guid
        key = (new.aliases or (entry.fingerprint,))[0].hex()
        return f"{self._tag}/{key}"

    @cached_property
    def _tag(self) -> str:
        day = (self.state.added or self.now).astimezone(UTC).date()
        return f"tag:{site_id.get(self.db)},{day}:{quote(self.state.id)}"

    def _add_to(self, before: StoredDocument, ids: Iterable[int]) -> None:
        """Add pushed entries to those of the document, until the next poll."""
        known = set(before.entry_ids)
        added = (entry_id for entry_id in ids if entry_id not in known)
        entry_ids = (*before.entry_ids, *added)
        documents.save(self.db, self.state.id, replace(before, entry_ids=entry_ids))

    def _restore(self, entry_ids: Iterable[int]) -> None:
        """Take the mark of a retraction off entries that the feed has."""
        restored = retractions.restore(self.db, self.state, entry_ids, self.rulebook, self.now)
        self.changes.touched |= restored

    def _save(
        self,
        before: StoredDocument,
        parsed: ParsedDocument,
        unchanged_items: Mapping[bytes, int],
        ids: Mapping[int, int],
        repeated: Sequence[int],
    ) -> None:
        """Save the document's hashes and entries; mark the entries that left it or came back."""
        by_hash = dict(unchanged_items)
        for position, entry_id in ids.items():
            by_hash[parsed.entries[position].item_hash] = entry_id
        items = _split(parsed.item_hashes)
        # A repeated item is parsed again: it may be the one that stays.
        reparsed = {parsed.entries[position].item_hash for position in repeated} - by_hash.keys()
        if parsed.item_hashes:
            entry_ids = tuple(by_hash.get(item, 0) for item in items)
        else:
            entry_ids = tuple(ids.get(position, 0) for position in range(len(parsed.entries)))
        if not parsed.whole:  # the other entries are still in the feed
            entry_ids = (*before.entry_ids, *(set(entry_ids) - set(before.entry_ids)))
        if parsed.whole:
            gone = set(before.entry_ids).difference(entry_ids, [0])
            entries.mark_left(self.db, gone, self.now)
            back = set(entry_ids).difference(before.entry_ids, self.changes.new, [0])
            entries.mark_present(self.db, back)
            self._restore(back)
            self.changes.absences = retractions.after_document(
                self.db, self.state, before.entry_ids, entry_ids, self.changes.new, self.now
            )
        documents.save(
            self.db,
            self.state.id,
            StoredDocument(
                body_hash=parsed.body_hash,
                item_hashes=b"".join(_NO_HASH if item in reparsed else item for item in items),
                entry_ids=entry_ids,
            ),
        )


def _with_page_text(entry: Entry, written: Entry | None) -> Entry:
    """Return an entry as published with the text of its page, unless the feed's is longer now."""
    is_from_page = written is not None and written.text_from == "page"
    if written is None or not is_from_page or len(entry.text) > len(written.text):
        return entry
    return replace(
        entry,
        content=written.content,
        text=written.text,
        summary=entry.summary or written.summary,
        image=entry.image or written.image,
        authors=entry.authors or written.authors,
        text_from="page",
        edits=(*entry.edits, *(each for each in written.edits if each not in entry.edits)),
    )


def _unchanged_items(before: StoredDocument, parsed: ParsedDocument) -> dict[bytes, int]:
    """Return the entries with unchanged items in the new document, by item hash."""
    new = {entry.item_hash for entry in parsed.entries}
    present = set(_split(parsed.item_hashes)) - new
    pairs = zip(_split(before.item_hashes), before.entry_ids, strict=False)
    return {item: entry_id for item, entry_id in pairs if entry_id and item in present}


def _reread(before: StoredDocument, parsed: ParsedDocument) -> dict[int, int]:
    """Return the stored entry of each position with an item of equal bytes in the last document.

    A newer version of the parser parses such items again, and may find a better guid, link or text.
    A document that the earlier version could not split is compared as a whole.
    """
    if not before.item_hashes:
        is_same = before.body_hash[1:] == parsed.body_hash[1:] != b""
        ids = before.entry_ids if is_same and len(before.entry_ids) == len(parsed.entries) else ()
        return {position: entry_id for position, entry_id in enumerate(ids) if entry_id}
    pairs = zip(_split(before.item_hashes), before.entry_ids, strict=False)
    by_hash = {item: entry_id for item, entry_id in pairs if entry_id}
    return {
        position: by_hash[entry.item_hash]
        for position, entry in enumerate(parsed.entries)
        if entry.item_hash in by_hash
    }


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + 16] for start in range(0, len(hashes), 16)]
