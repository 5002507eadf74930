"""Elements of other vocabularies that entries pass on: `parse`, `clean` and `formats` read this.

To pass on another element, add a row to `ELEMENTS`, and its namespace to `NAMESPACES` if it is new.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """How an element is passed on.

    Args:
        attributes: Those that are kept, in the order in which they are written.
        required: An attribute without which the element is dropped, "" when there is none.
        unless: A field of `Entry` that holds the same. The element is not written when the
            field has a value, because readers would show both.
    """

    attributes: tuple[str, ...] = ()
    required: str = ""
    unless: str = ""


ELEMENTS = {
    "georss:point": Element(),
    "itunes:author": Element(unless="authors"),
    "itunes:duration": Element(),
    "itunes:episode": Element(),
    "itunes:episodeType": Element(),
    "itunes:explicit": Element(),
    "itunes:season": Element(),
    "media:credit": Element(attributes=("role", "scheme")),
    "podcast:chapters": Element(attributes=("url", "type"), required="url"),
    "podcast:person": Element(attributes=("role", "group", "img", "href")),
    "podcast:soundbite": Element(attributes=("startTime", "duration")),
    "podcast:transcript": Element(
        attributes=("url", "type", "language", "rel"),
        required="url",
    ),
    "thr:in-reply-to": Element(attributes=("ref", "href", "source", "type"), required="ref"),
}
"""Rows by `prefix:local`, in the case in which the name is written; it is read in any case."""
