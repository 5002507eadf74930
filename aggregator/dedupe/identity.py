"""Which incoming entries of one feed are new, changed or known.

Three keys are aliases of one entry: its guid, its canonical link, and the fingerprint of its text.
Dates are never part of a key: publishers bump them at will. The rules, in their order:

    guid          decides, unless the document uses it for two entries that link to different pages
    link          decides for entries without a usable guid, and for a new guid on a known page
                  where title, date or the guid itself say that it is the same entry
    fingerprint   decides for entries with neither, and for a feed that gave all its items new keys

A guid that was found to stand for several pages, or a page for several entries without a guid, is
void for good: what a feed used twice it will use again, when the others have left the document.

Identity is per feed: the keys hold the source, so no source can touch another's entries.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import xxhash

from aggregator.models.entry import Entry, KnownEntry

VERSION = b"1"
"""Part of every key; a new rule for making keys needs a new version."""

LONG_TEXT = 200
"""Characters from which an equal text is proof enough by itself."""

FLOOD = 10
"""So many new entries at once, being most of a document, are looked at for a flood."""

STALE = timedelta(days=1)

VOID = 0
"""What a key stands for that stands for no entry any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of an incoming entry; b"" where it has none of the kind."""

    guid: bytes
    link: bytes
    text: bytes

    @property
    def present(self) -> tuple[bytes, ...]:
        """The keys that there are."""
        return tuple(filter(None, (self.guid, self.link, self.text)))

    def named(self, among: Collection[bytes]) -> str:
        """Name those of the keys that are among others: `guid link text`."""
        names = {"guid": self.guid, "link": self.link, "text": self.text}
        return " ".join(name for name, key in names.items() if key in among)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entry seen for the first time; `quarantine` says why it is held back, "" when it isn't."""

    position: int
    aliases: tuple[bytes, ...]
    quarantine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """An entry that is stored already; `changed` when readers would see a difference."""

    position: int
    id: int
    aliases: tuple[bytes, ...]
    changed: bool
    matched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a document means for what is stored.

    Args:
        new, same: By `position` in the incoming entries.
        dropped: Positions that bring nothing: an entry that has expired, or a repetition.
        repeated: Those of them that repeat another's guid, and may outlast it.
        void: Keys that must never decide again.
        quarantine: Why some were held back, in words.
    """

    new: tuple[New, ...] = ()
    same: tuple[Same, ...] = ()
    dropped: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    void: tuple[bytes, ...] = ()
    quarantine: str = ""


def keys(source_id: str, entry: Entry) -> Keys:
    """Return the keys of an entry, bound to its source.

    The first four bytes depend on the source alone, so that a source's keys lie together.
    """
    name = source_id.encode()
    source = xxhash.xxh32_digest(name)

    def key(kind: bytes, value: bytes) -> bytes:
        if not value:
            return b""
        return source + xxhash.xxh3_128_digest(VERSION + kind + name + b"\0" + value)[:12]

    return Keys(
        guid=key(b"g", entry.guid.encode("utf-8", "surrogatepass")),
        link=key(b"l", entry.canonical_url.encode()),
        text=key(b"t", entry.fingerprint),
    )


def decide(
    incoming: Sequence[Entry],
    incoming_keys: Sequence[Keys],
    *,
    aliases: Mapping[bytes, int],
    known: Mapping[int, KnownEntry],
    standing: frozenset[int] = frozenset(),
    last_poll: datetime | None = None,
) -> Decision:
    """Decide for each incoming entry of one document whether it is new, the same, or dropped.

    Args:
        incoming: The document's new or changed entries, in its order.
        incoming_keys: `keys` of each.
        aliases: The entries that keys stand for, or `VOID`; one not in `known` has expired.
        known: The stored entries among them.
        standing: Entries whose items stand unchanged in the same document.
        last_poll: The last poll that brought a document, None when this is the first.
    """
    document = _Document(incoming, incoming_keys, aliases, known, standing, last_poll)
    new: list[New] = []
    same: list[Same] = []
    dropped: list[int] = []
    repeated: list[int] = []
    for position in document.strongest_first():
        found, matched = document.match(position)
        if document.repeats(position, found):
            dropped.append(position)
            if document.has_guid(position):
                repeated.append(position)
        elif found is None:
            new.append(New(position=position, aliases=document.usable(position)))
        elif found not in known:
            dropped.append(position)
        else:
            document.claimed.add(found)
            same.append(
                Same(
                    position=position,
                    id=found,
                    aliases=document.usable(position),
                    changed=known[found].fingerprint != incoming[position].fingerprint,
                    matched=matched,
                )
            )
        document.taken.update(incoming_keys[position].present)
    new.sort(key=lambda item: item.position)
    held = _flood(incoming, new, len(incoming) + len(standing), bool(standing or same), last_poll)
    return Decision(
        new=tuple(held),
        same=tuple(sorted(same, key=lambda item: item.position)),
        dropped=tuple(sorted(dropped)),
        repeated=tuple(sorted(repeated)),
        void=tuple(sorted(document.void_for_good())),
        quarantine=next((item.quarantine for item in held if item.quarantine), ""),
    )


class _Document:
    """The entries of one document, and which keys and stored entries they have taken."""

    def __init__(
        self,
        incoming: Sequence[Entry],
        incoming_keys: Sequence[Keys],
        aliases: Mapping[bytes, int],
        known: Mapping[int, KnownEntry],
        standing: frozenset[int],
        last_poll: datetime | None,
    ) -> None:
        self.incoming, self.keys = incoming, incoming_keys
        self.aliases = {key: owner for key, owner in aliases.items() if owner != VOID}
        self.known, self.standing, self.last_poll = known, standing, last_poll
        self.claimed: set[int] = set(standing)
        self.taken: set[bytes] = set()
        self.guids = {entry.guid for entry in incoming if entry.guid}
        self.void_before = aliases.keys() - self.aliases.keys()
        self.void_guids = self._void_guids()
        self.void = self.void_before | self.void_guids | self._void_links()
        # Guid and link of each entry, b"" in the place of one that is void.
        self.deciding = [
            (
                b"" if own.guid in self.void else own.guid,
                b"" if own.link in self.void else own.link,
            )
            for own in incoming_keys
        ]
        self.rekeyed = self._is_rekeyed()

    def strongest_first(self) -> list[int]:
        """Return the positions so that an entry with a weak key claims nothing from a strong one.

        So the order of a document decides nothing but which of two repetitions is kept.
        """

        def weakness(position: int) -> tuple[bool, bool, bool, bool, bytes]:
            text = self.keys[position].text
            guid, link = self.deciding[position]
            # The last tells items apart that are equally strong; only repetitions are still equal.
            return (
                guid not in self.aliases, not guid, not link, text not in self.aliases,
                guid or link or text,
            )  # fmt: skip

        return sorted(range(len(self.incoming)), key=weakness)

    def void_for_good(self) -> set[bytes]:
        """Return the keys that this document shows to be void.

        A page shared by entries with guids is none: publishers count revisions of one page so.
        """
        texts: dict[bytes, set[bytes]] = {}
        for position, entry in enumerate(self.incoming):
            guid, _ = self.deciding[position]
            link = self.keys[position].link
            if link and not guid:
                texts.setdefault(link, set()).add(entry.fingerprint)
                owner = self.aliases.get(link)
                if owner in self.standing and owner in self.known and not self.known[owner].guid:
                    texts[link].add(self.known[owner].fingerprint)
        return self.void_guids | {link for link, seen in texts.items() if len(seen) > 1}

    def _void_guids(self) -> set[bytes]:
        """Guids that stand for entries with different pages say nothing.

        Of two guids of one stored entry that now have a page each, it keeps its own.
        """
        pages: dict[bytes, set[str]] = {}
        moved: dict[int, set[str]] = {}
        for entry, own in zip(self.incoming, self.keys, strict=True):
            if own.guid:
                pages.setdefault(own.guid, set()).add(entry.canonical_url)
                owner = self.aliases.get(own.guid)
                if owner in self.standing and owner in self.known:
                    pages[own.guid].add(self.known[owner].canonical_url)
                if owner is not None and owner in self.known:
                    moved.setdefault(owner, set()).add(entry.canonical_url)
        void = {key for key, urls in pages.items() if len(urls - {""}) > 1}
        for entry, own in zip(self.incoming, self.keys, strict=True):
            owner = self.aliases.get(own.guid)
            is_alone = owner not in moved or len(moved[owner] - {""}) <= 1
            if owner is not None and not is_alone and entry.guid != self.known[owner].guid:
                void.add(own.guid)
        return void

    def _void_links(self) -> set[bytes]:
        """Links that several entries share, such as the home page, say nothing."""
        sharing: dict[bytes, set[bytes]] = {}
        for own in self.keys:
            if own.link:
                guid = own.guid if own.guid not in self.void_before | self.void_guids else b""
                sharing.setdefault(own.link, set()).add(guid or own.text)
        void = {link for link, entries in sharing.items() if len(entries) > 1}
        for own in self.keys:
            if own.link and self.aliases.get(own.link) in self.standing:
                void.add(own.link)
        return void

    def _is_rekeyed(self) -> bool:
        """Most entries are unknown by guid and link, yet known by their text: all keys changed."""
        strangers = [
            own
            for own in self.keys
            if own.guid not in self.aliases and own.link not in self.aliases
        ]
        if len(strangers) < FLOOD or 2 * len(strangers) <= len(self.keys):
            return False
        return 2 * sum(own.text in self.aliases for own in strangers) > len(strangers)

    def usable(self, position: int) -> tuple[bytes, ...]:
        """Return the keys that may become aliases of the entry."""
        return tuple(key for key in self.keys[position].present if key not in self.void)

    def has_guid(self, position: int) -> bool:
        """Whether an entry has a guid that may decide."""
        return bool(self.deciding[position][0])

    def match(self, position: int) -> tuple[int | None, str]:
        """Return the stored entry that this is, and the key that says so."""
        own, entry = self.keys[position], self.incoming[position]
        guid, link = self.deciding[position]
        if guid and guid in self.aliases:
            return self.aliases[guid], "guid"
        if link and link in self.aliases:
            page = self.aliases[link]
            # Claimed by another item, it has moved to another page, and this one is not it.
            if page not in self.claimed and (not guid or self._same_page(entry, page)):
                return page, "link"
        text = self.aliases.get(own.text)
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
        """Whether it was published since the last poll, so can't be what has expired."""
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

    def repeats(self, position: int, found: int | None) -> bool:
        """Whether another entry of the document is what this one is.

        Args:
            found: As `match` gives it.
        """
        guid, link = self.deciding[position]
        if found is not None:
            return found in self.claimed or (bool(guid) and guid in self.taken)
        return any(key in self.taken for key in (guid, link) if key) or (
            not (guid or link) and self.keys[position].text in self.taken
        )


def _same_but_fragment(first: str, second: str) -> bool:
    """Guids such as `https://…/story#0` and `…#1`: one page, its revisions counted."""
    head = first.partition("#")[0]
    return bool(head) and "://" in head and head == second.partition("#")[0]


def _flood(
    incoming: Sequence[Entry],
    new: Sequence[New],
    size: int,
    overlaps: bool,
    last_poll: datetime | None,
) -> list[New]:
    """Hold back old entries that come as new in a mass: re-issued, not published.

    Entries dated after the last poll are news however many they are, and those of a feed's first
    document are its back catalogue.
    """
    if last_poll is None or len(new) < FLOOD or 2 * len(new) <= size:
        return list(new)
    limit = last_poll - STALE
    words = (
        f"{len(new)} of {size} items came as new at once; those dated before {limit:%d %B %Y}"
        " or undated are held back as re-issued"
    )
    held = []
    for item in new:
        published = incoming[item.position].published
        stale = published < limit if published else not overlaps
        held.append(
            New(position=item.position, aliases=item.aliases, quarantine=words) if stale else item
        )
    return held
