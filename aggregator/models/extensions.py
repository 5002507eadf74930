"""Elements of other vocabularies that entries pass on: `parse`, `clean` and `formats` read this.

To pass on another element, add a row to `ELEMENTS`, and its namespace to `NAMESPACES` if it is new.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACES = {
    "georss": ("http://www.georss.org/georss",),
    "itunes": (
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "http://example.com/dtds/podcast-1.0.dtd",
    ),
    "media": ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss"),
    "podcast": (
        "https://podcastindex.org/namespace/1.0",
        "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    ),
    "thr": ("http://purl.org/syndication/thread/1.0",),
}
"""URIs by prefix. All of them are read, in any case; the first is written."""

URL_ATTRIBUTES = frozenset({"url", "href", "img", "source"})
"""Attributes that hold an http or https URL; feeds may give it relative to their base."""

ID_ATTRIBUTES = frozenset({"ref"})
"""Attributes that hold the id of another entry, an IRI."""


CREDIT_ROLES = frozenset({
    "actor", "anchor person", "author", "camera operator", "choreographer", "composer", "conductor",
    "correspondent", "director", "distribution company", "editor", "executive producer",
    "graphic designer", "illustrator", "interviewed guest", "interviewer", "lyricist",
    "music arranger", "music group", "musician", "orchestra", "performer", "photographer",
    "producer", "production company", "publishing company", "reporter", "translation", "vocalist",
})  # fmt: skip
"""The common roles of the scheme `urn:ebu`, in lower case (Media RSS, media:credit)."""

EBU = "urn:ebu"

_WORDS = re.compile(r"(?s).*\S.*")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d+)? +[+-]?\d{1,3}(?:\.\d+)?", re.ASCII)
_DURATION = re.compile(r"\d{1,9}|\d{1,4}(?::\d{1,2}){1,2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """How an element is passed on.

    Args:
        attributes: Those that are kept, in the order in which they are written.
        required: An attribute without which the element is dropped, "" when there is none.
        unless: A field of `Entry` that holds the same. The element is not written when the
            field has a value, because readers would show both.
        text: The texts that its specification allows, None for any.
        folds_case: Whether its text is written in lower case.
        synonyms: Texts of earlier versions of its specification, each with the one to write.
    """

    attributes: tuple[str, ...] = ()
    required: str = ""
    unless: str = ""
    text: re.Pattern[str] | None = None
    folds_case: bool = False
    synonyms: tuple[tuple[str, str], ...] = ()

    def is_valid(self, key: str, attributes: Mapping[str, str]) -> bool:
        """Return whether the value of an attribute is valid; only roles have rules."""
        if key != "role" or "scheme" not in self.attributes:
            return True
        role = attributes[key]
        is_ebu = attributes.get("scheme", EBU) == EBU
        return role in CREDIT_ROLES if is_ebu else role == role.lower()


ELEMENTS = {
    "georss:point": Element(text=_DEGREES),
    "itunes:author": Element(unless="authors", text=_WORDS),
    "itunes:duration": Element(text=_DURATION),
    "itunes:episode": Element(text=_NUMBER),
    "itunes:episodeType": Element(text=re.compile("full|trailer|bonus"), folds_case=True),
    "itunes:explicit": Element(
        text=re.compile("yes|no|clean|true|false"),
        folds_case=True,
        synonyms=(("yes", "true"), ("no", "false"), ("clean", "false")),
    ),
    "itunes:season": Element(text=_NUMBER),
    "media:credit": Element(attributes=("role", "scheme"), text=_WORDS),
    "podcast:chapters": Element(attributes=("url", "type"), required="url"),
    "podcast:person": Element(attributes=("role", "group", "img", "href"), text=_WORDS),
    "podcast:soundbite": Element(attributes=("startTime", "duration")),
    "podcast:transcript": Element(
        attributes=("url", "type", "language", "rel"),
        required="url",
    ),
    "thr:in-reply-to": Element(attributes=("ref", "href", "source", "type"), required="ref"),
}
"""Rows by `prefix:local`, in the case in which the name is written; it is read in any case."""
