"""An entry's recordings, pictures and passed-on elements.

Media RSS (https://www.rssboard.org/media-rss) lets caption and credit stand at the picture, at
its group or at the item; the nearest counts. A media:group is one recording in several files: the
default one is taken, else the first.
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from aggregator.models.entry import Enclosure, Extension, Image
from aggregator.models.extensions import ELEMENTS
from aggregator.parse import dates
from aggregator.parse.links import Link, address
from aggregator.parse.tree import Children, Element, XmlTree, first_text, text

MOST = 100
"""Extensions, pictures or recordings of one entry that are read."""

MOST_ELEMENTS = 1_000
"""Elements of one entry, of all kinds that are read here."""

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_ADDRESS = re.compile(r"[^\s]*[/.][^\s]*")
_ADDRESSES = ("href", "url", "image", f"{RDF}resource")
_SPELLING = {name.lower(): name for name in ELEMENTS}
_HOLDERS = frozenset({"media:group", "media:content"})
_PICTURES = (
    "media:content",
    "media:thumbnail",
    "itunes:image",
    "podcast:image",
    "podcast:images",
    "googleplay:image",
    "image",
    "thumbnail",
    "webfeeds:cover",
)
_ARTWORK = frozenset({"itunes:image", "podcast:image", "podcast:images", "googleplay:image"})
_MEDIA = frozenset({*_SPELLING, *_PICTURES, *_HOLDERS})
_STREAMS = dict.fromkeys(
    ("application/x-mpegurl", "application/vnd.apple.mpegurl", "application/dash+xml"), "video"
)
_ENDINGS = {
    "audio": (".mp3", ".m4a", ".m4b", ".ogg", ".oga", ".opus", ".aac", ".flac", ".wav"),
    "image": (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"),
    "video": (".mp4", ".m4v", ".webm", ".mov", ".ogv", ".mkv", ".m3u8"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMedia:
    """An entry's recordings, pictures and passed-on elements.

    Args:
        images: The best described first, each URL once.
    """

    enclosures: tuple[Enclosure, ...] = ()
    images: tuple[Image, ...] = ()
    extensions: tuple[Extension, ...] = ()


class _Labels(NamedTuple):
    caption: str = ""
    credit: str = ""


class _Item(NamedTuple):
    """An element of an entry, with the labels that are in force around it."""

    name: str
    element: Element
    labels: _Labels
    group: Element | None


_NOTHING = EntryMedia()


def read(children: Children, links: Iterable[Link], tree: XmlTree) -> EntryMedia:
    """Return the media and the passed-on elements of an entry.

    Args:
        children: Of the entry.
        links: Of the entry.
    """
    items: list[_Item] = []
    if not _MEDIA.isdisjoint(children):
        items.extend(islice(_walk(children, tree, _Labels(), None), MOST_ELEMENTS))
    enclosed = list(_enclosed(children, links, tree))
    if not items and not enclosed:
        return _NOTHING
    enclosures = tuple(_enclosures(children, enclosed, items, tree))
    return EntryMedia(
        enclosures=enclosures,
        images=_images(items, enclosures, tree),
        extensions=tuple(_extension(item) for item in items if item.name in _SPELLING)[:MOST],
    )


def picture(element: Element, tree: XmlTree) -> str:
    """Return the URL of an `image` element, in any form: child, attribute or text."""
    children = tree.children(element)
    attributes = (element.get(key, "") for key in _ADDRESSES)
    sent = first_text(children, "url", "href") or next(filter(None, attributes), "")
    sent = sent or _largest(element.get("srcset", "")) or element.text or ""
    return address(sent, element, tree) if sent.strip() else ""


def _largest(srcset: str) -> str:
    """Return the widest candidate of a srcset (HTML §4.8.4.2.1)."""
    candidates = (each.split() for each in srcset.split(","))
    sized = ((number(each[-1][:-1]), each[0]) for each in candidates if each)
    return max(sized, key=lambda pair: pair[0], default=(0, ""))[1]


def number(digits: str | None) -> int:
    """Return a number in ASCII digits, 0 if there is none."""
    digits = (digits or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0


def with_duration(enclosures: Iterable[Enclosure], duration: int | None) -> Iterator[Enclosure]:
    """Give an entry's duration, in seconds, to its first recording."""
    for enclosure in enclosures:
        is_silent = enclosure.type.startswith(("image/", "text/"))
        if duration and not is_silent and enclosure.duration is None:
            yield replace(enclosure, duration=duration)
            duration = None
        else:
            yield enclosure


def _walk(
    children: Children, tree: XmlTree, around: _Labels, group: Element | None
) -> Iterator[_Item]:
    labels = _labels(children, around)
    for name, elements in children.items():
        if name in _MEDIA:
            for element in elements:
                yield _Item(name, element, labels, group)
                if name in _HOLDERS and len(element):
                    is_group = name == "media:group"
                    within = element if is_group else group
                    yield from _walk(tree.children(element), tree, labels, within)


def _labels(children: Children, around: _Labels) -> _Labels:
    return _Labels(
        first_text(children, "media:description") or around.caption,
        first_text(children, "media:credit") or around.credit,
    )


# --- recordings ------------------------------------------------------------------------------


def _enclosures(
    children: Children, enclosed: Iterable[Enclosure], items: list[_Item], tree: XmlTree
) -> Iterator[Enclosure]:
    """Return the recordings of RSS, Atom and Media RSS, merged by URL."""
    by_url: dict[str, Enclosure] = {}
    for sent in enclosed:
        by_url.setdefault(sent.url, sent)
    for content in _recordings(items, by_url):
        if recording := _recording(content, tree):
            known = by_url.get(recording.url, recording)
            by_url[recording.url] = Enclosure(
                url=recording.url,
                type=known.type or recording.type,
                length=known.length or recording.length,
                duration=recording.duration,
                title=known.title or recording.title,
            )
    durations = (dates.seconds(text(each)) for each in children.get("itunes:duration", ()))
    duration = next((duration for duration in durations if duration), None)
    return with_duration(tuple(by_url.values())[:MOST], duration)


def _enclosed(children: Children, links: Iterable[Link], tree: XmlTree) -> Iterator[Enclosure]:
    for element in children.get("enclosure", [])[:MOST]:
        sent = (element.get("url") or element.get("href") or element.text or "").strip()
        if _ADDRESS.fullmatch(sent):
            yield _enclosure(address(sent, element, tree), element)
    if "enclosure" not in children and "podcast:alternateenclosure" in children:
        yield from _alternative(children, tree)
    for element in children.get("enc:enclosure", ()):
        plain = {key.rpartition("}")[2].lower(): value for key, value in element.items()}
        if resource := plain.get("resource") or plain.get("url"):
            url = address(resource, element, tree)
            kind, length = plain.get("type", ""), number(plain.get("length"))
            yield Enclosure(url=url, type=kind.strip().lower(), length=length or None)
    for link in links:
        if link.rel == "enclosure":
            yield _enclosure(link.url, link.element)
    has_page = any(link.rel == "alternate" for link in links)
    for element in children.get("content", ()):
        kind = element.get("type", "").strip().lower()
        # An HTML page is the link of an entry that has no other.
        if (sent := element.get("src", "").strip()) and (has_page or "html" not in kind):
            yield Enclosure(url=address(sent, element, tree), type=kind)


def _alternative(children: Children, tree: XmlTree) -> Iterator[Enclosure]:
    """Yield the default one of podcast:alternateEnclosure, else the first."""
    elements = list(children["podcast:alternateenclosure"])
    elements.sort(key=lambda each: each.get("default", "").lower() != "true")
    for element in elements:
        for source in tree.children(element).get("podcast:source", ()):
            if sent := source.get("uri", "").strip():
                yield _enclosure(address(sent, source, tree), element)
                return


def _enclosure(url: str, element: Element) -> Enclosure:
    return Enclosure(
        url=url,
        type=element.get("type", "").strip().lower(),
        length=number(element.get("length")) or None,
        title=element.get("title", "").strip(),
    )


def _recordings(items: list[_Item], enclosed: Container[str]) -> Iterator[_Item]:
    """Yield audio and video; of a group the enclosed file, else the default, else the first."""
    chosen: dict[Element, _Item] = {}
    for item in items:
        if item.name == "media:content" and _kind(item.element) in ("audio", "video"):
            if item.group is None:
                yield item
            elif item.group not in chosen or _rank(item, enclosed) > _rank(
                chosen[item.group], enclosed
            ):
                chosen[item.group] = item
    yield from chosen.values()


def _rank(item: _Item, enclosed: Container[str]) -> tuple[bool, bool]:
    is_default = item.element.get("isDefault", "").strip().lower() == "true"
    return item.element.get("url", "").strip() in enclosed, is_default


def _recording(item: _Item, tree: XmlTree) -> Enclosure | None:
    content = item.element
    url = content.get("url", "").strip()
    if not url:
        return None
    return Enclosure(
        url=address(url, content, tree),
        type=content.get("type", "").strip().lower(),
        length=number(content.get("fileSize")) or None,
        duration=dates.seconds(content.get("duration", "")),
        title=first_text(tree.children(content), "media:title"),
    )


def _kind(content: Element) -> str:
    """Return `audio`, `image`, `video` … or "": a media:content's medium, else by its type."""
    sent = content.get("type", "").strip().lower()
    kind = content.get("medium") or _STREAMS.get(sent) or sent.partition("/")[0]
    if not kind:
        path = content.get("url", "").strip().partition("?")[0].lower()
        return next((kind for kind, ends in _ENDINGS.items() if path.endswith(ends)), "")
    return kind.strip().lower()


# --- pictures --------------------------------------------------------------------------------


def _images(
    items: list[_Item], enclosures: Iterable[Enclosure], tree: XmlTree
) -> tuple[Image, ...]:
    images: dict[str, Image] = {}
    for name in _PICTURES:
        for item in items:
            if item.name == name and (image := _image(item, tree)):
                images.setdefault(image.url, image)
    for enclosure in enclosures:
        if enclosure.type.startswith("image/"):
            images.setdefault(enclosure.url, Image(url=enclosure.url))
    return tuple(images.values())[:MOST]


def _image(item: _Item, tree: XmlTree) -> Image | None:
    element = item.element
    is_content = item.name == "media:content"
    if is_content and _kind(element) != "image":
        return None
    url = picture(element, tree)
    if not url:
        return None
    # A thumbnail may be a frame of a film: the labels around it describe the film.
    labels = _labels(tree.children(element), item.labels) if is_content else _Labels()
    return Image(
        url=url,
        width=number(element.get("width")),
        height=number(element.get("height")),
        caption=labels.caption,
        credit=labels.credit,
        is_artwork=item.name in _ARTWORK,
    )


def _extension(item: _Item) -> Extension:
    attributes = ((key, value) for key, value in item.element.items() if "}" not in key)
    return Extension(
        name=_SPELLING[item.name], text=text(item.element), attributes=tuple(attributes)
    )
