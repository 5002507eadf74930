"""Fingerprint of the visible text, ignoring counters, adverts and markup.

Documents change at each poll in ways that no reader sees: tracking parameters, markup, pictures of
another size, the number of comments, another advert. The fingerprint stays the same.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import xxhash

from aggregator.clean import text, urls
from aggregator.models.entry import Enclosure, Entry, SafeHtml

VERSION = b"2"
"""First byte of every fingerprint. Raise it when reading or cleaning improves, and add the old
one to `OLDER_VERSIONS`."""

INCOMPLETE = b"0"
"""First byte of the fingerprint of an entry that the end of its document cut."""

OLDER_VERSIONS = frozenset({INCOMPLETE, b"1"})
"""A difference to a fingerprint of these versions is stored, and is no correction."""

ADVERTISERS = (
    "2mdn.net", "adnxs.com", "adsrvr.org", "amazon-adsystem.com", "buysellads.com",
    "carbonads.com", "carbonads.net", "doubleclick.net", "feedsportal.com",
    "googleadservices.com", "googlesyndication.com", "outbrain.com", "pheedo.com", "taboola.com",
)  # fmt: skip
"""Hosts of adverts, which change with each poll."""

_ADVERT = re.compile(
    r'<a href="https?://(?:[^"/]*\.)?(?:'
    + "|".join(map(re.escape, ADVERTISERS))
    + r')[/"?:#].*?</a>',
    re.DOTALL,
)
_ADVERTISER = re.compile(
    r"https?://(?:[^/]*\.)?(?:" + "|".join(map(re.escape, ADVERTISERS)) + r")(?:[/?:#]|\Z)"
)
_ADDRESS = re.compile(r"https?://\S+")
_MEDIA = re.compile(
    r"\.(?:aac|flac|gif|jpe?g|m4[abv]|mov|mp[34]|og[agv]|opus|pdf|png|wav|web[mp])\Z", re.I
)
"""The end of the path of a file, whose query does not choose another one."""
_PHRASES = (
    ("V", "ADVERTISEMENT"), ("A", "Advertisement"), ("S", "Sponsored content"), ("Z", "ANZEIGE"),
    ("z", "Anzeige"), ("N", "No comments"), ("N", "No Comments"), ("n", "no comments"),
    ("(", "()"), ("[", "[]"),
)  # fmt: skip
"""Labels of adverts and the like, each with a letter that few texts have and that is found fast."""


def is_outdated(stored: bytes) -> bool:
    """Return whether a fingerprint was made by an earlier version or of an incomplete entry."""
    return stored[:1] in OLDER_VERSIONS


def is_incomplete(fingerprint: bytes) -> bool:
    """Return whether a fingerprint is of an entry that the end of its document cut."""
    return fingerprint.startswith(INCOMPLETE)


def is_advertiser(url: str) -> bool:
    """Return whether a URL is one of an advertiser."""
    return bool(_ADVERTISER.match(url))


def without_adverts(content: SafeHtml) -> str:
    """Return a text without links to advertisers."""
    return _ADVERT.sub("", content)


def with_fingerprint(entry: Entry) -> Entry:
    """Return an entry with the fingerprint that its values have by today's rules."""
    words = entry.text if len(entry.text) < text.TEXT_LENGTH else text.plain(entry.content)
    return replace(entry, fingerprint=of_entry(entry.title, entry.content, words, entry.enclosures))


def of_entry(
    title: str,
    content: SafeHtml,
    words: str,
    enclosures: Iterable[Enclosure],
    *,
    is_cut: bool = False,
) -> bytes:
    """Return the fingerprint of an entry.

    Args:
        title: As text on one line.
        content: As the sanitiser returns it.
        words: Its text, as `text.plain` makes it.
        enclosures: With their URLs as `urls.absolute` returns them.
        is_cut: Whether the end of the document cut the entry.
    """
    without = without_adverts(content)
    if without != content:
        words = text.plain(without)
    whole = fingerprint(title, words, (enclosure.url for enclosure in enclosures))
    return INCOMPLETE + whole[1:] if is_cut else whole


def fingerprint(title: str, words: str, files: Iterable[str]) -> bytes:
    """Return a hash of the visible text of an entry; a different hash is a correction.

    Args:
        title: As text on one line.
        words: The content as `text.plain` makes it.
        files: URLs of the enclosures.
    """
    parts = [
        text.visible_form(_without(title)),
        text.visible_form(_without(words)),
        *(_file(url).encode() for url in files),
    ]
    return VERSION + xxhash.xxh3_128_digest(b"\0".join(parts))


def _file(url: str) -> str:
    """Return the URL of an enclosure without the signature of a link that expires."""
    path, _, query = urls.canonical(url).partition("?")
    return f"{path}?{query}" if query and not _MEDIA.search(path) else path


@cache
def _counter_remover() -> Callable[[str], str]:
    from aggregator.clean import counters  # slow to import; only the readers of documents need it

    return counters.remove


def _without(words: str) -> str:
    """Remove text that changes with each poll: addresses, counters, labels of adverts."""
    if "://" in words:
        words = _ADDRESS.sub("", words)
    words = _counter_remover()(words)
    for letter, phrase in _PHRASES:
        if letter in words:
            words = words.replace(phrase, "")
    return words
