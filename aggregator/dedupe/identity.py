"""Decide which incoming entries of one feed are new, changed or known. Pure.

Three keys are aliases of one entry: its guid, its canonical link, and the fingerprint of its text.
Dates are never part of a key: publishers change them freely. The rules, in order:

    guid          decides, unless the document uses it for two entries that link to different pages
    link          decides for entries without a usable guid, and for a new guid on a known page
                  if title, date or the guid show that it is the same entry
    fingerprint   decides for entries with neither, and for a feed that gave all its items new keys

A guid stands for a new entry if page, title, a later date and text all say so: its feed gives one
guid to story after story. It is then void.

A guid that stood for several pages, or a page that several entries without a guid linked to, is
void for good: a feed that used it twice will do so again, after the others have left the document.

Identity is per feed: the keys contain the source, so no source can change another's entries.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import xxhash

from aggregator.dedupe.clustering import are_unrelated
from aggregator.models.entry import Entry, KnownEntry

VERSION = b"1"
"""Part of every key; raise it when the way keys are made changes."""

LONG_TEXT = 200
"""Characters from which an equal text alone is proof."""

FLOOD = 10
"""New entries in one document from which they may be a flood of re-issued ones."""

STALE = timedelta(days=1)
"""An entry dated this long before the last poll is no news."""

_NO_TEXTS: Mapping[int, str] = {}

VOID = 0
"""The owner of a key that stands for no entry any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryKeys:
    """The keys of an incoming entry; b"" for a kind that it lacks."""

    guid: bytes
    link: bytes
    text: bytes

    @property
    def present(self) -> tuple[bytes, ...]:
        """The keys that it has."""
        return tuple(filter(None, (self.guid, self.link, self.text)))

    def names_in(self, keys: Collection[bytes]) -> str:
        """Return the names of those that `keys` contains, such as `guid link`."""
        names = {"guid": self.guid, "link": self.link, "text": self.text}
        return " ".join(name for name, key in names.items() if key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entry seen for the first time; `quarantine` is the reason to hold it back, or ""."""

    position: int
    aliases: tuple[bytes, ...]
    quarantine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """An entry that is stored already; `changed` if readers would see a difference."""

    position: int
    id: int
    aliases: tuple[bytes, ...]
    changed: bool
    matched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The changes that a document makes to the stored entries.

    Args:
        new, same: By `position` in the incoming entries.
        dropped: Positions of expired entries and of repetitions.
        repeated: The dropped positions that repeat another's guid, and may outlast it.
        void: Keys that must never decide again.
        quarantine: Why some were held back, "" if none were.
    """

    new: tuple[New, ...] = ()
    same: tuple[Same, ...] = ()
    dropped: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    void: tuple[bytes, ...] = ()
    quarantine: str = ""


def keys(source_id: str, entry: Entry | KnownEntry) -> EntryKeys:
    """Return the keys of an entry, bound to its source.

    The first four bytes depend on the source alone, so that a source's keys lie together.
    """
    name = source_id.encode()
    source = xxhash.xxh32_digest(name)

    def key(kind: bytes, value: bytes) -> bytes:
        if not value:
            return b""
        return source + xxhash.xxh3_128_digest(VERSION + kind + name + b"\0" + value)[:12]

    return EntryKeys(
        guid=key(b"g", entry.guid.encode("utf-8", "surrogatepass")),
        link=key(b"l", entry.canonical_url.encode()),
        text=key(b"t", entry.fingerprint),
    )


def decide(
    incoming: Sequence[Entry],
    incoming_keys: Sequence[EntryKeys],
    *,
    aliases: Mapping[bytes, int],
    known: Mapping[int, KnownEntry],
    unchanged_items: frozenset[int] = frozenset(),
    reread: Mapping[int, int] | None = None,
    outdated: Collection[int] = (),
    texts: Mapping[int, str] = _NO_TEXTS,
    last_poll: datetime | None = None,
) -> Decision:
    """Decide for each incoming entry of one document whether it is new, the same, or dropped.

    Args:
        incoming: The document's new or changed entries, in its order.
        incoming_keys: `keys` of each.
        aliases: The entry that each key stands for, or `VOID`; one not in `known` has expired.
        known: Those of these entries that are stored.
        unchanged_items: Entries whose items are unchanged in the same document.
        reread: The stored entry for each position whose bytes are those of its last reading.
        outdated: Stored entries of an earlier reader version. They may differ from today's
            reading though the publisher changed nothing.
        texts: The texts of the stored entries in `moved_entries`.
        last_poll: The last poll that brought a document, None if this is the first.
    """
    document = _Document(
        incoming, incoming_keys, aliases, known, unchanged_items, reread or {}, texts, last_poll
    )
    decision = _match_each(document, outdated)
    new = _hold_back_flood(
        incoming,
        decision.new,
        size=len(incoming) + len(unchanged_items),
        overlaps=bool(unchanged_items or decision.same),
        last_poll=last_poll,
    )
    return replace(
        decision,
        new=tuple(new),
        void=tuple(sorted(document.void_for_good())),
        quarantine=next((item.quarantine for item in new if item.quarantine), ""),
    )


def moved_entries(
    incoming: Sequence[Entry],
    incoming_keys: Sequence[EntryKeys],
    aliases: Mapping[bytes, int],
    known: Mapping[int, KnownEntry],
) -> set[int]:
    """Return the stored entries whose guid has another page, title and date: `decide` needs texts.

    Args:
        incoming, incoming_keys, aliases, known: As for `decide`.
    """
    pairs = (
        (entry, known.get(aliases.get(keys.guid, VOID)))
        for entry, keys in zip(incoming, incoming_keys, strict=True)
    )
    return {stored.id for entry, stored in pairs if stored and _is_moved(entry, stored)}


def _is_moved(entry: Entry, known: KnownEntry) -> bool:
    """Whether page, title and date differ, and the date is later, as of a new story."""
    return (
        "" not in (entry.canonical_url, known.canonical_url, entry.title, known.title)
        and entry.canonical_url != known.canonical_url
        and entry.title != known.title
        and entry.published is not None
        and known.published is not None
        and entry.published > known.published
    )


def _match_each(document: "_Document", outdated: Collection[int]) -> Decision:
    new: list[New] = []
    same: list[Same] = []
    dropped: list[int] = []
    repeated: list[int] = []
    for position in document.strongest_first():
        owner, matched = document.match(position)
        if document.repeats(position, owner):
            dropped.append(position)
            if document.has_guid(position):
                repeated.append(position)
        elif owner is None:
            new.append(New(position=position, aliases=document.usable(position)))
        elif owner not in document.known:
            dropped.append(position)
        else:
            document.claimed.add(owner)
            same.append(
                Same(
                    position=position,
                    id=owner,
                    aliases=document.usable(position),
                    changed=owner not in outdated and document.differs(position, owner),
                    matched=matched,
                )
            )
        document.taken.update(document.keys[position].present)
    return Decision(
        new=tuple(sorted(new, key=lambda item: item.position)),
        same=tuple(sorted(same, key=lambda item: item.position)),
        dropped=tuple(sorted(dropped)),
        repeated=tuple(sorted(repeated)),
    )


class _Document:
    """The entries of one document, and the keys and stored entries that they have taken."""

    def __init__(
        self,
        incoming: Sequence[Entry],
        incoming_keys: Sequence[EntryKeys],
        aliases: Mapping[bytes, int],
        known: Mapping[int, KnownEntry],
        unchanged_items: frozenset[int],
        reread: Mapping[int, int],
        texts: Mapping[int, str],
        last_poll: datetime | None,
    ) -> None:
        self.incoming, self.keys = incoming, incoming_keys
        self.aliases = {key: owner for key, owner in aliases.items() if owner != VOID}
        self.known, self.unchanged_items, self.last_poll = known, unchanged_items, last_poll
        self.reread, self.texts = reread, texts
        self.claimed: set[int] = set(unchanged_items)
        self.taken: set[bytes] = set()
        self.guids = {entry.guid for entry in incoming if entry.guid}
        self.void_before = aliases.keys() - self.aliases.keys()
        self.void_guids = self._void_guids()
        self.void = self.void_before | self.void_guids | self._void_links()
        # Guid and link of each entry, b"" for one that is void.
        self.deciding = [
            (
                b"" if keys.guid in self.void else keys.guid,
                b"" if keys.link in self.void else keys.link,
            )
            for keys in incoming_keys
        ]
        self.rekeyed = self._is_rekeyed()

    def strongest_first(self) -> list[int]:
        """Return the positions ordered by the strength of their keys.

        So the order of a document decides only which of two repetitions is kept.
        """

        def weakness(position: int) -> tuple[bool, bool, bool, bool, bool, bytes]:
            text = self.keys[position].text
            guid, link = self.deciding[position]
            # The last orders equally strong items; only repetitions are still equal.
            return (
                position not in self.reread, guid not in self.aliases, not guid, not link,
                text not in self.aliases, guid or link or text,
            )  # fmt: skip

        return sorted(range(len(self.incoming)), key=weakness)

    def void_for_good(self) -> set[bytes]:
        """Return the keys that this document shows to be void.

        A page shared by entries with guids is not void: publishers number its revisions that way.
        """
        texts: dict[bytes, set[bytes]] = {}
        for position, entry in enumerate(self.incoming):
            guid, _ = self.deciding[position]
            link = self.keys[position].link
            if link and not guid:
                texts.setdefault(link, set()).add(entry.fingerprint)
                owner = self.aliases.get(link)
                if (
                    owner in self.unchanged_items
                    and owner in self.known
                    and not self.known[owner].guid
                ):
                    texts[link].add(self.known[owner].fingerprint)
        return self.void_guids | {link for link, seen in texts.items() if len(seen) > 1}

    def _void_guids(self) -> set[bytes]:
        """Return the guids of this document that stand for entries with different pages.

        If two guids of one stored entry now have a page each, the entry keeps its own guid.
        """
        pages: dict[bytes, set[str]] = {}
        moved: dict[int, set[str]] = {}
        for entry, keys in zip(self.incoming, self.keys, strict=True):
            if keys.guid:
                pages.setdefault(keys.guid, set()).add(entry.canonical_url)
                owner = self.aliases.get(keys.guid)
                if owner in self.unchanged_items and owner in self.known:
                    pages[keys.guid].add(self.known[owner].canonical_url)
                if owner is not None and owner in self.known:
                    moved.setdefault(owner, set()).add(entry.canonical_url)
        void = {key for key, urls in pages.items() if len(urls - {""}) > 1}
        for entry, keys in zip(self.incoming, self.keys, strict=True):
            owner = self.aliases.get(keys.guid)
            is_alone = owner not in moved or len(moved[owner] - {""}) <= 1
            if owner is not None and not is_alone and entry.guid != self.known[owner].guid:
                void.add(keys.guid)
        return void | self._reused_guids()

    def _reused_guids(self) -> set[bytes]:
        """Return the guids that now stand for another story than the stored one."""
        reused = set[bytes]()
        for position, (entry, keys) in enumerate(zip(self.incoming, self.keys, strict=True)):
            known = self.known.get(self.aliases.get(keys.guid, VOID))
            if position in self.reread or known is None or not _is_moved(entry, known):
                continue
            text = self.texts.get(known.id, "")
            if text and entry.text and are_unrelated(known.title, text, entry.title, entry.text):
                reused.add(keys.guid)
        return reused

    def _void_links(self) -> set[bytes]:
        """Return the links that several entries of this document share, such as the home page."""
        sharing: dict[bytes, set[bytes]] = {}
        for keys in self.keys:
            if keys.link:
                guid = keys.guid if keys.guid not in self.void_before | self.void_guids else b""
                sharing.setdefault(keys.link, set()).add(guid or keys.text)
        void = {link for link, entries in sharing.items() if len(entries) > 1}
        for keys in self.keys:
            if keys.link and self.aliases.get(keys.link) in self.unchanged_items:
                void.add(keys.link)
        return void

    def _is_rekeyed(self) -> bool:
        """Whether the feed gave its items new keys: most are known by their text only."""
        unknown = [
            keys
            for keys in self.keys
            if keys.guid not in self.aliases and keys.link not in self.aliases
        ]
        if len(unknown) < FLOOD or 2 * len(unknown) <= len(self.keys):
            return False
        return 2 * sum(keys.text in self.aliases for keys in unknown) > len(unknown)

    def usable(self, position: int) -> tuple[bytes, ...]:
        """Return the keys that may become aliases of the entry."""
        return tuple(key for key in self.keys[position].present if key not in self.void)

    def has_guid(self, position: int) -> bool:
        """Whether an entry has a guid that may decide."""
        return bool(self.deciding[position][0])

    def differs(self, position: int, owner: int) -> bool:
        """Whether an incoming entry has another text than the stored one."""
        return self.known[owner].fingerprint != self.incoming[position].fingerprint

    def match(self, position: int) -> tuple[int | None, str]:
        """Return the stored entry that an incoming one is, and the name of the key that decided."""
        if position in self.reread:
            return self.reread[position], "item"
        keys, entry = self.keys[position], self.incoming[position]
        guid, link = self.deciding[position]
        if guid and guid in self.aliases:
            return self.aliases[guid], "guid"
        if link and link in self.aliases:
            page = self.aliases[link]
            # If another item has claimed that entry, it has moved to another page.
            if page not in self.claimed and (not guid or self._same_page(entry, page)):
                return page, "link"
        text = self.aliases.get(keys.text)
        if text is not None and self._same_text(entry, text, bool(guid or link)):
            return text, "text"
        return None, ""

    def _same_page(self, entry: Entry, page: int) -> bool:
        known = self.known.get(page)
        if known is None:
            return not self._is_news(entry)
        if known.guid in self.guids:
            return False  # the document holds that entry beside this one
        return (
            known.fingerprint == entry.fingerprint
            or (bool(known.title) and known.title == entry.title)
            or (known.published is not None and known.published == entry.published)
            or _same_but_fragment(known.guid, entry.guid)
        )

    def _is_news(self, entry: Entry) -> bool:
        """Whether it was published since the last poll, so it can't be the expired entry."""
        if self.last_poll is None or entry.published is None:
            return False
        return entry.published >= self.last_poll - STALE

    def _same_text(self, entry: Entry, text: int, has_key: bool) -> bool:
        if not has_key:
            return True
        known = self.known.get(text)
        if text in self.claimed or (known is not None and known.guid in self.guids):
            return False
        return self.rekeyed or len(entry.text) >= LONG_TEXT

    def repeats(self, position: int, owner: int | None) -> bool:
        """Whether an entry repeats another of the document.

        Args:
            owner: The stored entry, as `match` returns it.
        """
        guid, link = self.deciding[position]
        if owner is not None:
            return owner in self.claimed or (bool(guid) and guid in self.taken)
        return any(key in self.taken for key in (guid, link) if key) or (
            not (guid or link) and self.keys[position].text in self.taken
        )


def _same_but_fragment(first: str, second: str) -> bool:
    """Whether two guids are revisions of one page, such as `https://…/story#0` and `…#1`."""
    head = first.partition("#")[0]
    return bool(head) and "://" in head and head == second.partition("#")[0]


def _hold_back_flood(
    incoming: Sequence[Entry],
    new: Sequence[New],
    *,
    size: int,
    overlaps: bool,
    last_poll: datetime | None,
) -> list[New]:
    """Quarantine old entries that appear as new all at once: re-issued, not published.

    Entries dated after the last poll are news however many they are. Those of a feed's first
    document are its back catalogue.

    Args:
        size: Items of the document.
        overlaps: Some of them are stored already.
    """
    if last_poll is None or len(new) < FLOOD or 2 * len(new) <= size:
        return list(new)
    limit = last_poll - STALE
    reason = (
        f"{len(new)} of {size} items were new at once; those dated before {limit:%d %B %Y}"
        " or undated are held back as re-issued"
    )
    checked = []
    for item in new:
        published = incoming[item.position].published
        stale = published < limit if published else not overlaps
        checked.append(replace(item, quarantine=reason) if stale else item)
    return checked
