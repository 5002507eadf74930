"""A tree of elements to `ParsedFeed`: RSS, RDF and Atom by one set of names."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import repeat

from aggregator.models.entry import ParsedFeed
from aggregator.parse import dates, entry, links, media, people
from aggregator.parse.text import as_html, text
from aggregator.parse.tree import Children, Element, XmlTree, first_text, named, of_item
from aggregator.parse.tree import text as text_of

LONGEST_PERIOD = timedelta(days=366)
"""A ttl or update period above it is a mistake."""

_ITEMS = ("{*}item", "{*}entry", "{*}Item", "{*}Entry", "{*}ITEM", "{*}ENTRY")
_ENTRIES = frozenset({"item", "entry"})
_FOREIGN = frozenset({"?:item", "?:entry"})
MOST_CHANNELS = 5
"""Channels of one document that are read."""

_SUBTITLES = (
    "description",
    "subtitle",
    "tagline",
    "dc:description",
    "itunes:summary",
    "googleplay:description",
    "itunes:subtitle",
    "media:description",
)
_RIGHTS = ("rights", "copyright", "dc:rights", "media:copyright")
_UPDATED = ("updated", "modified", "lastbuilddate", "dcterms:modified", "dc:date")
_PUBLISHED = ("pubdate", "published")
_PICTURES = (
    "image",
    "itunes:image",
    "podcast:image",
    "podcast:images",
    "googleplay:image",
    "media:thumbnail",
    "logo",
    "webfeeds:icon",
    "webfeeds:logo",
    "icon",
)
_ICONS = ("webfeeds:icon", "icon")
_RSS_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def items(tree: XmlTree) -> list[Element]:
    """Return the item and entry elements of a document, in its order."""
    names = tree.names
    return [
        each
        for each in tree.root.iter(*_ITEMS)
        if names[each.tag] in _ENTRIES or (not each.prefix and names[each.tag] in _FOREIGN)
    ]


def are_apart(tree: XmlTree, entries: Iterable[Element]) -> bool:
    """Return whether all entries are children of the root or a channel.

    The text of another element would include the text of an entry in it.
    """
    parents = {parent for each in entries if (parent := each.getparent()) is not None}
    return all(each is tree.root or tree.names[each.tag] == "channel" for each in parents)


def is_feed(tree: XmlTree) -> bool:
    """Return whether the root element is one of RSS, RDF or Atom."""
    return tree.names[tree.root.tag] in ("rss", "feed", "rdf", "rdf:rdf", "channel")


def read(
    tree: XmlTree,
    entries: Sequence[Element],
    hashes: Sequence[bytes],
    children: Children,
    page: str,
) -> ParsedFeed:
    """Return a feed with its entries.

    Args:
        tree: The document; references of the entries resolve against its URL.
        entries: As `items` returns them.
        hashes: Of the entries' bytes, or none at all.
        children: As `channel` returns them.
        page: URL of the feed's page.
    """
    feed = _metadata(tree, children, page)
    inherited = entry.Inherited(language=feed.language, authors=feed.authors)
    read_entries = [
        entry.read(each, of_item(tree, each), inherited, item_hash=item_hash)
        for each, item_hash in zip(entries, hashes or repeat(b""), strict=False)
    ]
    if tree.is_cut and read_entries:
        read_entries[-1] = replace(read_entries[-1], is_cut=True)
    return replace(feed, entries=tuple(read_entries))


def _metadata(tree: XmlTree, children: Children, page: str) -> ParsedFeed:
    feed_links = links.read(children, tree)
    return ParsedFeed(
        version=_version(tree),
        id=first_text(children, "id", "guid"),
        title=_html(children, tree, "title", "dc:title", is_title=True),
        subtitle=_html(children, tree, *_SUBTITLES),
        link=page,
        language=_language(tree, children),
        rights=_html(children, tree, *_RIGHTS),
        icon=_image(children, tree, _ICONS),
        image=_image(children, tree, _PICTURES),
        updated=_date(children, *_UPDATED) or _date(children, *_PUBLISHED),
        authors=people.of_feed(children, tree),
        links=links.other_links(feed_links, "alternate"),
        ttl=_bounded(timedelta(minutes=min(media.number(first_text(children, "ttl")), 10**9))),
        update_period=_update_period(children),
        update_base=dates.parse(first_text(children, "sy:updatebase")),
        skip_hours=frozenset(_hours(children, tree)),
        skip_days=frozenset(_days(children, tree)),
        complete="fh:complete" in children,
        archive="fh:archive" in children,
        problems=tree.problems,
    )


def channel(tree: XmlTree) -> Children:
    """Return the elements of the feed itself by name: of its channels, then of its root."""
    outside = tree.children(tree.root)
    merged: Children = {}
    inside = (
        child for name, several in outside.items() if name not in _ENTRIES for child in several
    )
    channels = outside.pop("channel", None) or [
        channel for child in inside for channel in child.iterchildren("{*}channel")
    ]
    for each in (*map(tree.children, channels[:MOST_CHANNELS]), outside):
        for name, elements in each.items():
            if name not in _ENTRIES:
                merged.setdefault(name, []).extend(elements)
    return merged


def _version(tree: XmlTree) -> str:
    root = tree.root
    name = tree.names[root.tag].rpartition(":")[2]
    sent = root.get("version", "").strip()
    if name == "feed":
        return "atom03" if sent == "0.3" or "purl.org/atom/ns" in str(root.tag) else "atom10"
    if name == "rdf":
        core = {str(child.tag) for child in root}
        return "rss090" if any("netscape" in tag for tag in core) else "rss10"
    if sent.startswith("2"):
        return "rss20"
    return _RSS_VERSIONS.get(sent, "rss")


def _language(tree: XmlTree, children: Children) -> str:
    sent = first_text(children, "language", "dc:language")
    if not sent and tree.has_languages:
        places = (tree.root, *tree.children(tree.root).get("channel", ()))
        sent = next((tag for each in places if (tag := tree.language(each))), "")
    return sent.replace("_", "-")


def _html(children: Children, tree: XmlTree, *names: str, is_title: bool = False) -> str:
    texts = (text(each, tree, is_title=is_title) for each in named(children, *names))
    return next((as_html(each) for each in texts if each), "")


def _image(children: Children, tree: XmlTree, names: Sequence[str]) -> str:
    # In RSS 1.0 the channel names the id of its image, which is mostly its URL too.
    elements = sorted(
        named(children, *names), key=lambda each: f"{media.RDF}resource" in each.attrib
    )
    return next((url for each in elements if (url := media.picture(each, tree))), "")


def _date(children: Children, *names: str) -> datetime | None:
    sent = (text_of(each) for each in named(children, *names))
    return next((date for each in sent if (date := dates.parse(each))), None)


def _update_period(children: Children) -> timedelta | None:
    """sy:updatePeriod over sy:updateFrequency; each has a default when the other is given."""
    period = first_text(children, "sy:updateperiod").lower()
    frequency = media.number(first_text(children, "sy:updatefrequency"))
    if not period and not frequency:
        return None
    length = _PERIODS.get(period or "daily")
    return _bounded(length / max(frequency, 1)) if length else None


def _bounded(period: timedelta) -> timedelta | None:
    return period if timedelta(0) < period <= LONGEST_PERIOD else None


def _hours(children: Children, tree: XmlTree) -> Iterator[int]:
    for each in children.get("skiphours", ()):
        for element in tree.children(each).get("hour", ()):
            hour = text_of(element)
            if hour.isdigit() and media.number(hour) <= 24:
                yield media.number(hour) % 24  # 24 is midnight in RSS 0.91


def _days(children: Children, tree: XmlTree) -> Iterator[int]:
    for each in children.get("skipdays", ()):
        for element in tree.children(each).get("day", ()):
            day = text_of(element).lower()
            if day in _WEEKDAYS:
                yield _WEEKDAYS.index(day)
