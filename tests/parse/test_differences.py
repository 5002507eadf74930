"""Each difference between our values and feedparser's, with the reason why ours is right.

The documents are those of --corpus. A difference that no row of `KINDS` explains fails the test;
`pytest -s` prints how many there are of each kind.
"""

import html
import io
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import feedparser

from aggregator.models.entry import Author, ParsedEntry, ParsedFeed
from aggregator.parse import decode, document, jsonfeed, tree

URL = "http://x.example/feed"
SHARE = 0.98
"""Of the documents that become a tree, so that feedparser does not read them."""
LONGEST = 1.0
"""Seconds for one document."""

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    field: str
    ours: Any
    theirs: Any
    entry: ParsedEntry | None
    values: Values
    feed: ParsedFeed
    xml: str = ""


def text(value: str) -> str:
    """Return the words of a text of any type."""
    words = html.unescape(html.unescape(re.sub(r"<[^<>]*>", " ", value)))
    return re.sub(r"\W+", "", words)


def string(values: Values, key: str) -> str:
    value = dict.get(values, key)
    return value.strip() if isinstance(value, str) else ""


def has_content(difference: Difference, value: str) -> bool:
    contents = [string(each, "value") for each in dict.get(difference.values, "content") or []]
    return any(text(value) == text(content) for content in contents)


def is_caption(difference: Difference) -> bool:
    """Return whether feedparser took a picture's caption or a blurb for the summary."""
    images = difference.entry.images if difference.entry else ()
    captions = {text(image.caption) for image in images}
    return text(difference.theirs) in captions or (
        text(difference.theirs) != text(difference.ours)
        and has_content(difference, difference.ours)
    )


def time_of(values: Values, key: str) -> tuple[int, ...] | None:
    return tuple(dict.get(values, f"{key}_parsed") or ())[:6] or None


def utc(moment: datetime | None) -> tuple[int, ...] | None:
    return moment.astimezone(UTC).timetuple()[:6] if moment else None


Rule = Callable[[Difference], bool]
KINDS: list[tuple[str, str, Rule]] = [
    (
        "authors",
        "an entry without an author has the feed's (RFC 4287 §4.2.1)",
        lambda d: not d.theirs and d.ours == people(d.feed.authors),
    ),
    (
        "authors",
        "a word such as `hidden` is no address",
        lambda d: (
            {name for name, _ in d.ours} == {name for name, _ in d.theirs}
            and all(not email or "@" in email for _, email in d.ours)
        ),
    ),
    (
        "authors",
        "references in names are decoded",
        lambda d: [text(name) for name, _ in d.ours] == [text(name) for name, _ in d.theirs],
    ),
    (
        "guid",
        "an id is the string that was sent: it is compared, not followed",
        lambda d: d.theirs in (urljoin(d.feed.link or URL, d.ours), d.ours.strip()),
    ),
    (
        "comments",
        "a link of the relation `replies` leads to the comments (RFC 4685 §4)",
        lambda d: not d.theirs and bool(d.ours),
    ),
    (
        "categories",
        "keywords of iTunes are for search engines",
        lambda d: set(d.ours) < set(d.theirs) and "itunes" in str(dict.get(d.values, "tags")),
    ),
    (
        "enclosures",
        "an enclosure without an address is none",
        lambda d: [url for url in d.theirs if url] == d.ours,
    ),
    (
        "summary",
        "an entry that has content only has no summary; feedparser copies the content",
        lambda d: not d.ours and has_content(d, d.theirs),
    ),
    (
        "summary",
        "a caption or blurb before the description does not take its place",
        is_caption,
    ),
    (
        "summary",
        "a plain text with references, which are decoded, and line breaks, which are kept",
        lambda d: text(d.ours) == text(d.theirs) or d.ours == html.unescape(d.theirs),
    ),
    (
        "content",
        "a second text, such as a caption, is no content",
        lambda d: not d.ours and d.entry is not None and d.entry.summary is not None,
    ),
    (
        "content",
        "markup in elements is written as HTML, without its namespaces",
        lambda d: text(d.ours) == text(d.theirs),
    ),
    (
        "published",
        "a date that may be two days, or is none, is not guessed",
        lambda d: d.ours is None and d.entry is not None and bool(d.entry.unread_date),
    ),
    (
        "feed title",
        "the title of a feed is HTML, so that text in it is escaped",
        lambda d: text(d.ours) == text(d.theirs),
    ),
    (
        "feed subtitle",
        "the subtitle of a feed is HTML, so that text in it is escaped",
        lambda d: text(d.ours) == text(d.theirs),
    ),
    (
        "feed subtitle",
        "the description of a podcast counts before its summary and subtitle",
        lambda d: text(d.theirs)[:40] != text(d.ours)[:40] and "itunes" in str(d.values) + d.xml,
    ),
    (
        "feed subtitle",
        "a description is read whole",
        lambda d: text(d.ours).startswith(text(d.theirs)[:40]),
    ),
    (
        "feed link",
        "an id that is no web address is no page",
        lambda d: not d.ours and d.theirs in (string(d.values, "id"), string(d.values, "link")),
    ),
    (
        "feed id",
        "an id is the string that was sent: it is compared, not followed",
        lambda d: d.theirs == urljoin(d.feed.link or URL, d.ours),
    ),
]


def people(authors: tuple[Author, ...]) -> list[tuple[str, str]]:
    return [(author.name, author.email) for author in authors]


def persons(values: Values) -> list[tuple[str, str]]:
    found = (
        (string(each, "name"), string(each, "email")) for each in dict.get(values, "authors") or []
    )
    return [each for each in found if any(each)]


def library(xml: bytes, feed: ParsedFeed) -> Values:
    parsed: Values = feedparser.parse(
        io.BytesIO(xml),
        response_headers={
            "content-type": "application/xml; charset=utf-8",
            "content-location": feed.link or URL,
        },
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return parsed


def differences(feed: ParsedFeed, parsed: Values) -> Iterator[Difference]:
    for entry, values in zip(feed.entries, parsed["entries"], strict=True):
        contents = dict.get(values, "content") or [{}]
        links = dict.get(values, "links") or []
        enclosures = [string(link, "href") for link in links if string(link, "rel") == "enclosure"]
        tags = dict.get(values, "tags") or []
        pairs = {
            "authors": (people(entry.authors), persons(values)),
            "categories": (
                list(entry.categories),
                [string(tag, "label") or string(tag, "term") for tag in tags],
            ),
            "comments": (entry.comments, string(values, "comments")),
            "content": (entry.content.value if entry.content else "", string(contents[0], "value")),
            "enclosures": ([each.url for each in entry.enclosures], enclosures),
            "guid": (entry.guid, string(values, "id")),
            "link": (entry.link, string(values, "link")),
            "summary": (entry.summary.value if entry.summary else "", string(values, "summary")),
            "published": (utc(entry.published), time_of(values, "published")),
            "title": (entry.title.value if entry.title else "", string(values, "title")),
            "updated": (utc(entry.updated), time_of(values, "updated")),
        }
        for field, (ours, theirs) in pairs.items():
            if ours != theirs:
                yield Difference(
                    field=field, ours=ours, theirs=theirs, entry=entry, values=values, feed=feed
                )


def of_the_feed(feed: ParsedFeed, parsed: Values, xml: str) -> Iterator[Difference]:
    values: Values = parsed["feed"]
    for key in ("title", "subtitle", "link", "id", "language"):
        ours, theirs = getattr(feed, key), string(values, key)
        if ours != theirs:
            yield Difference(
                field=f"feed {key}", ours=ours, theirs=theirs, entry=None, values=values,
                feed=feed, xml=xml,
            )  # fmt: skip


def reason(difference: Difference) -> str:
    """Return why our value is right, "" when no kind explains it."""
    kinds = (kind for field, kind, rule in KINDS if field == difference.field and rule(difference))
    return next(kinds, "")


def bodies(corpus: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(corpus.iterdir()):
        body = path.read_bytes()
        if not jsonfeed.is_meant(body, ""):
            yield path.name, body


def test_every_difference_to_feedparser_has_a_reason(corpus: Path) -> None:
    counts: Counter[str] = Counter()
    unexplained = []
    for name, body in bodies(corpus):
        feed = document.parse(body, url=URL)
        xml = decode.document(body, "").xml
        parsed = library(xml, feed)
        found = chain(differences(feed, parsed), of_the_feed(feed, parsed, xml.decode()))
        for difference in found:
            kind = reason(difference)
            counts[f"{difference.field}: {kind}"] += 1
            if not kind:
                unexplained.append((name, difference.field, difference.ours, difference.theirs))
    for kind, count in counts.most_common():
        print(f"{count:5} {kind}")  # noqa: T201
    assert counts
    assert not unexplained, unexplained[0]


def test_nearly_all_documents_become_a_tree_and_soon(corpus: Path) -> None:
    trees, total = 0, 0
    for name, body in bodies(corpus):
        start = time.process_time()
        feed = document.parse(body, url=URL)
        assert time.process_time() - start < LONGEST, name
        trees += tree.BEYOND_REPAIR not in feed.problems
        total += 1
    assert trees >= SHARE * total
