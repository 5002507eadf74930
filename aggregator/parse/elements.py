"""What feedparser flattens or loses, read from the element tree: media, podcasts, ids as sent.

feedparser keeps one `podcast:transcript` of several and the last hour of `skipHours`, takes an
item's `image` for the feed's and a photo's caption for the item's text, and resolves ids. lxml
reads them in a fiftieth of feedparser's time. Values are as published, items in document order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from aggregator.models.numbers import parse_number
from aggregator.parse import media, tags
from aggregator.parse.decode import NotAFeed

MOST_ATTRIBUTES = 200
"""Of one element; feedparser's time is quadratic in their number (20,000: 5 s)."""

_is_crowded = etree.XPath(f"boolean(//*/@*[{MOST_ATTRIBUTES + 1}])")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PICTURES = ("image", "itunes:image", "logo", "icon")
_OF_THE_FEED = frozenset({"link", "skiphours", "skipdays", "fh:complete", "fh:archive", *_PICTURES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """A document's elements; `link` and `image` are the feed's, as sent."""

    link: str = ""
    image: str = ""
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    complete: bool = False
    archive: bool = False
    items: tuple[media.Item, ...] = ()


def tree(xml: bytes) -> tuple[etree._Element | None, bool]:
    """Return the root of a document, well-formed or not, and whether it was read without a fault.

    Args:
        xml: As `decode.document` makes it.

    Raises:
        NotAFeed: Elements are nested too deep, or one has too many attributes.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        recover=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root: etree._Element | None = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        root = None
    for error in parser.error_log:
        if error.type_name == "ERR_RESOURCE_LIMIT":
            what = error.message.partition(", use ")[0]
            raise NotAFeed(f"Line {error.line} goes beyond a limit: {what}; refused")
    if root is not None and _is_crowded(root):
        raise NotAFeed(f"An element has more than {MOST_ATTRIBUTES} attributes; refused")
    return root, not len(parser.error_log)


def read(root: etree._Element | None) -> Elements:
    """Return what a document has, nothing when it has no root."""
    if root is None:
        return Elements()
    found = list(_of_the_feed(root))
    pictures = {name: tags.picture(each) for name, each in reversed(found) if name in _PICTURES}
    return Elements(
        link=next((link for name, each in found if name == "link" and (link := _link(each))), ""),
        image=next((pictures[name] for name in _PICTURES if pictures.get(name)), ""),
        skip_hours=frozenset(_hours(each for name, each in found if name == "skiphours")),
        skip_days=frozenset(_days(each for name, each in found if name == "skipdays")),
        complete=any(name == "fh:complete" for name, _ in found),
        archive=any(name == "fh:archive" for name, _ in found),
        items=tuple(
            media.read(item)
            for item in root.iter("{*}item", "{*}entry")
            if tags.name(item) in ("item", "entry")
        ),
    )


def _of_the_feed(root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    for name, child in tags.children(root):
        if name == "channel":
            yield from _of_the_feed(child)
        elif name in _OF_THE_FEED:
            yield name, child


def _link(element: etree._Element) -> str:
    if "href" not in element.attrib:
        return tags.text(element)
    return element.get("href", "") if element.get("rel", "alternate") == "alternate" else ""


def _hours(lists: Iterable[etree._Element]) -> Iterator[int]:
    for each in lists:
        for name, child in tags.children(each):
            hour = parse_number(tags.text(child), most=24)
            if name == "hour" and hour is not None:
                yield hour % 24  # 24 is midnight in RSS 0.91


def _days(lists: Iterable[etree._Element]) -> Iterator[int]:
    for each in lists:
        for name, child in tags.children(each):
            day = tags.text(child).lower()
            if name == "day" and day in _WEEKDAYS:
                yield _WEEKDAYS.index(day)
