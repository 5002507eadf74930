"""Recognise parameters of links that change from poll to poll, such as session ids. Pure.

    volatile       at least two entries have another value than at the last poll and are otherwise
                   equal, no entry kept its value, and it distinguishes no two entries of a document
    contradicted   a known one distinguishes two entries of a document after all

`id=`, `p=` and the like stay: two of their values are two entries. Links are canonical.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aggregator.models.entry import Entry, KnownEntry

EVIDENCE = 2
"""Entries that must agree; one is enough where a document has only one, see `_is_certain`."""

TOKEN = 8
"""Characters from which a value is no number of an undated entry."""

MOST = 8
"""Volatile parameters of a source."""

LONGEST_NAME = 64

_PARAMETER = re.compile(r";([^=;/?#]+)=([^;/?#]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDocument:
    """The entries of the last document that are stored.

    Args:
        kept: The ids of those with unchanged items in the new document.
    """

    entries: Sequence[KnownEntry]
    kept: Collection[int]


def parameters(link: str) -> dict[str, tuple[str, ...]]:
    """Return the values of a link's parameters by name.

    Names of parameters in the path, as in `/story;jsessionid=1`, begin with `;`. The name of a
    query parameter without `=` is "", as in `/story?1751900000`.
    """
    path, query, _ = _split(link)
    pairs = [(f";{name}", value) for name, value in _PARAMETER.findall(path)]
    pairs += [_named(part) for part in query.split("&") if part]
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return values


def without(link: str, names: Collection[str]) -> str:
    """Return a link without the parameters of some names, as `parameters` names them."""
    if not names or not ("?" in link or ";" in link):
        return link
    path, query, fragment = _split(link)
    path = _PARAMETER.sub(lambda found: "" if f";{found[1]}" in names else found[0], path)
    kept = "&".join(part for part in query.split("&") if part and _named(part)[0] not in names)
    return f"{path}{'?' if kept else ''}{kept}{fragment}"


def volatile(incoming: Sequence[Entry], last: LastDocument) -> frozenset[str]:
    """Return the names of the parameters that a document shows to be volatile.

    Args:
        incoming: The document's new or changed entries.
    """
    pairs = _equal_pairs(incoming, last.entries)
    unchanged = [entry.canonical_url for entry in last.entries if entry.id in last.kept]
    changed, kept = Counter[str](), set[str]()
    for link in {*unchanged, *_links(incoming) & _links(last.entries)}:
        kept |= parameters(link).keys()
    for entry, known in pairs:
        names = _different(entry.canonical_url, known.canonical_url)
        kept |= parameters(entry.canonical_url).keys() - names
        if without(entry.canonical_url, names) == without(known.canonical_url, names):
            changed.update(names)
    needed = min(EVIDENCE, len(last.entries), len(incoming) + len(unchanged))
    found = {name for name, times in changed.items() if times >= needed} - kept
    if not found or len(found) > MOST or max(map(len, found)) > LONGEST_NAME:
        return frozenset()
    if needed < EVIDENCE and not all(_is_certain(*pair, found) for pair in pairs):
        return frozenset()
    documents = (_links(incoming).union(unchanged), _links(last.entries))
    is_telling = any(
        len({without(link, found) for link in links}) < len(links) for links in documents
    )
    return frozenset() if is_telling else frozenset(found)


def contradicted(names: Collection[str], incoming: Iterable[Entry]) -> frozenset[str]:
    """Return those of a source's volatile parameters that distinguish entries of a document."""
    seen: dict[str, Entry] = {}
    found = set[str]()
    for entry in incoming:
        other = seen.setdefault(without(entry.canonical_url, names), entry)
        if other.fingerprint != entry.fingerprint:
            found |= _different(other.canonical_url, entry.canonical_url) & set(names)
    return frozenset(found)


def _equal_pairs(
    incoming: Sequence[Entry], known: Sequence[KnownEntry]
) -> list[tuple[Entry, KnownEntry]]:
    """Return the entries of two documents with equal title, text and date, but another link.

    Entries that equal another of their own document are left out, as any could be the same.
    """
    ours, theirs = Counter(map(_content, incoming)), Counter(map(_content, known))
    by_content = {_content(entry): entry for entry in known if theirs[_content(entry)] == 1}
    return [
        (entry, by_content[content])
        for entry in incoming
        if ours[content := _content(entry)] == 1
        and content in by_content
        and "" not in (entry.canonical_url, by_content[content].canonical_url)
        and entry.canonical_url != by_content[content].canonical_url
    ]


def _content(entry: Entry | KnownEntry) -> tuple[object, ...]:
    return entry.title, entry.fingerprint, entry.published


def _is_certain(entry: Entry, known: KnownEntry, names: Collection[str]) -> bool:
    """Whether one entry is evidence enough: it is dated, or the values look like tokens.

    Otherwise it may be a second report in the words of the first, such as `alarm?id=18`.
    """
    if entry.published is not None:
        return True
    values = [parameters(link).get(name, ()) for link in _pair(entry, known) for name in names]
    return all(len(value) >= TOKEN for each in values for value in each)


def _pair(entry: Entry, known: KnownEntry) -> tuple[str, str]:
    return entry.canonical_url, known.canonical_url


def _links(entries: Iterable[Entry | KnownEntry]) -> set[str]:
    return {entry.canonical_url for entry in entries} - {""}


def _different(first: str, second: str) -> set[str]:
    """Return the names of the parameters in which two links differ."""
    ours, theirs = parameters(first), parameters(second)
    return {name for name in ours | theirs if ours.get(name) != theirs.get(name)}


def _named(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    return (name, value) if equals else ("", part)


def _split(link: str) -> tuple[str, str, str]:
    """Return path, query and fragment of a link, the fragment with its `#`."""
    address, hash_mark, fragment = link.partition("#")
    path, _, query = address.partition("?")
    return path, query, hash_mark + fragment
