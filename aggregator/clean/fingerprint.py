"""What of a text is no news: the fingerprint that tells a correction from a counter.

Documents change at each poll for reasons that no reader sees: tracking parameters, markup, pictures
of another size, the number of comments, another advert. None of them moves the fingerprint.
"""

import re
from collections.abc import Iterable

import xxhash

from aggregator.clean import text, urls
from aggregator.models.entry import SafeHtml

VERSION = b"2"
"""First byte of every fingerprint. Raise it when reading or cleaning improves, and add the old
one to `OLDER_VERSIONS`."""

OLDER_VERSIONS = frozenset({b"1"})
"""A difference to a fingerprint of these versions is stored, and is no correction."""

ADVERTISERS = (
    "2mdn.net", "adnxs.com", "adsrvr.org", "amazon-adsystem.com", "buysellads.com",
    "carbonads.com", "carbonads.net", "doubleclick.net", "feedsportal.com",
    "googleadservices.com", "googlesyndication.com", "outbrain.com", "pheedo.com", "taboola.com",
)  # fmt: skip
"""Hosts whose links are adverts: another at each poll."""

_ADVERT = re.compile(
    r'<a href="https?://(?:[^"/]*\.)?(?:'
    + "|".join(map(re.escape, ADVERTISERS))
    + r')[/"?:#].*?</a>',
    re.DOTALL,
)
_ADDRESS = re.compile(r"https?://\S+")
_COMMENTS = (
    r"comments?|repl(?:y|ies)|kommentare?|commentaires?|comentarios?|comentários?"
    r"|commenti|reacties|комментари[йяев]+|تعليق(?:ات)?"
)
_OF_COMMENTS = ("omment", "repl", "coment", "react", "ммен", "تعليق")  # one is in each of these
_COUNTED = rf"{_COMMENTS}|responses?|views?|reads?|shares?|likes?|points?|(?:up)?votes?|retweets?"
_COUNTER = (
    r"\d(?:[\d.,'\u202f]*\d)?[km]?"
    rf"(?:\s(?P<comments>{_COMMENTS})\b|\s(?P<counted>{_COUNTED})(?=\s?[)\]]))?"
)
_NUMBER = re.compile(_COUNTER, re.IGNORECASE)
_ASCII_NUMBER = re.compile(_COUNTER, re.IGNORECASE | re.ASCII)  # the same there, and faster
_LABELLED = re.compile(rf"(?:\b(?:{_COUNTED})|评论|コメント)\s?[:：(\[（]\s?\Z", re.IGNORECASE)
_OPENING = ":：([（"
_LONGEST_LABEL = 20
_PHRASES = (
    "ADVERTISEMENT", "Advertisement", "Sponsored content", "ANZEIGE", "Anzeige",
    "No comments", "No Comments", "no comments", "()", "[]",
)  # fmt: skip


def is_outdated(stored: bytes) -> bool:
    """Return whether a stored fingerprint was made by the rules of an earlier version."""
    return stored[:1] in OLDER_VERSIONS


def without_adverts(content: SafeHtml) -> str:
    """Return a text without what links to an advertiser."""
    return _ADVERT.sub("", content)


def fingerprint(title: str, words: str, files: Iterable[str]) -> bytes:
    """Return a hash of what readers see of an entry; another one is a real change.

    Args:
        title: As text on one line.
        words: The content as `text.plain` makes it.
        files: URLs of the enclosures.
    """
    parts = [text.seen(_without(title)), text.seen(_without(words)), *map(urls.canonical, files)]
    return VERSION + xxhash.xxh3_128_digest("\0".join(parts).encode())


def _without(words: str) -> str:
    """Remove what changes by itself: addresses, counters, the labels of adverts."""
    if "://" in words:
        words = _ADDRESS.sub("", words)
    if _may_count(words):
        numbers = _ASCII_NUMBER if words.isascii() else _NUMBER
        words = numbers.sub(_unless_counter, words)
    for phrase in _PHRASES:
        if phrase[0] in words:  # one character is found fast
            words = words.replace(phrase, "")
    return words


def _may_count(words: str) -> bool:
    """Tell whether there may be counters, without a search for numbers, which takes far longer."""
    return any(map(words.__contains__, _OPENING)) or any(
        map(words.lower().__contains__, _OF_COMMENTS)
    )


def _unless_counter(number: re.Match[str]) -> str:
    """Drop counters only: prose counts too ("by 12 points"), and its numbers may be corrected."""
    words, at = number.string, number.start()
    before = words[max(0, at - 2) : at].strip()[-1:]
    is_told = bool(before) and before in _OPENING
    is_counter = number["comments"] or (
        is_told and (number["counted"] or _LABELLED.search(words, max(0, at - _LONGEST_LABEL), at))
    )
    return "" if is_counter else number[0]
