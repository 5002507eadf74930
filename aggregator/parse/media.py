"""An item's pictures, recordings and podcast elements, read from the element tree.

Media RSS (https://www.rssboard.org/media-rss) lets caption and credit stand at the picture, at
its group or at the item; the nearest counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from aggregator.models.entry import Enclosure, Extension, Image
from aggregator.models.extensions import ELEMENTS
from aggregator.models.numbers import parse_number
from aggregator.parse import dates, tags

MOST = 100
"""Extensions, pictures or recordings of one item that are read."""

_SPELLING = {name.lower(): name for name in ELEMENTS}
_ASIDES = frozenset({"media:description", "itunes:summary"})
_IMAGES = ("media:content", "media:thumbnail", "itunes:image", "image")
_READ = _ASIDES | {*_SPELLING, *_IMAGES, "guid", "id", "media:group"}
_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What of an item feedparser loses or confuses.

    Args:
        guid: guid, id or rdf:about exactly as sent.
        enclosures: Of `media:content` only.
        images: The best described first, each URL once.
        duration: itunes:duration, in seconds.
        asides: Texts of `media:description` and `itunes:summary`, captions and blurbs that
            feedparser may take for the item's content.
    """

    guid: str = ""
    enclosures: tuple[Enclosure, ...] = ()
    images: tuple[Image, ...] = ()
    extensions: tuple[Extension, ...] = ()
    duration: int | None = None
    asides: frozenset[str] = frozenset()


class _Words(NamedTuple):
    caption: str = ""
    credit: str = ""


class _Found(NamedTuple):
    name: str
    element: etree._Element
    words: _Words


def read(item: etree._Element) -> Item:
    """Return an item's media, extensions and id."""
    found = list(_walk(item, _Words()))
    guids = [tags.text(each.element) for each in found if each.name in ("guid", "id")]
    guid = guids[-1] if guids else item.get(_ABOUT, "")
    if len(guids) == len(found):
        return Item(guid=guid)
    durations = (_duration(each) for each in found if each.name == "itunes:duration")
    recordings = (_recording(each.element) for each in found if each.name == "media:content")
    return Item(
        guid=guid,
        enclosures=tuple(recording for recording in recordings if recording)[:MOST],
        images=_images(found),
        extensions=tuple(_extension(each) for each in found if each.name in _SPELLING)[:MOST],
        duration=next((duration for duration in durations if duration), None),
        asides=frozenset(tags.text(each.element) for each in found if each.name in _ASIDES),
    )


def _walk(parent: etree._Element, inherited: _Words) -> Iterator[_Found]:
    named = [pair for pair in tags.children(parent) if pair[0] in _READ]
    words = _words(named, inherited)
    for name, child in named:
        yield _Found(name, child, words)
        if name in ("media:group", "media:content"):
            yield from _walk(child, words)


def _words(named: list[tuple[str, etree._Element]], inherited: _Words) -> _Words:
    caption, credit = inherited
    for name, child in named:
        if name == "media:description":
            caption = tags.text(child) or caption
        elif name == "media:credit":
            credit = tags.text(child) or credit
    return _Words(caption, credit)


def _duration(found: _Found) -> int | None:
    return dates.seconds(tags.text(found.element))


def _kind(content: etree._Element) -> str:
    """Return `audio`, `image`, `video` … or "": a media:content's medium, else by its type."""
    kind = content.get("medium") or content.get("type", "").partition("/")[0]
    if not kind and content.get("url", "").partition("?")[0].lower().endswith(_ENDINGS):
        return "image"
    return kind.strip().lower()


def _recording(content: etree._Element) -> Enclosure | None:
    url = content.get("url", "").strip()
    if not url or _kind(content) not in ("audio", "video"):
        return None
    title = (tags.text(child) for name, child in tags.children(content) if name == "media:title")
    return Enclosure(
        url=url,
        type=content.get("type", "").strip().lower(),
        length=number(content.get("fileSize")) or None,
        duration=dates.seconds(content.get("duration", "")),
        title=next(title, ""),
    )


def _images(found: list[_Found]) -> tuple[Image, ...]:
    images: dict[str, Image] = {}
    for kind in _IMAGES:
        for each in found:
            if each.name == kind and (image := _image(each)):
                images.setdefault(image.url, image)
    return tuple(images.values())[:MOST]


def _image(found: _Found) -> Image | None:
    element = found.element
    url = tags.picture(element).strip()
    is_content = found.name == "media:content"
    if not url or (is_content and _kind(element) != "image"):
        return None
    # A thumbnail may be a frame of a film: the words beside it describe the film.
    words = _words(tags.children(element), found.words) if is_content else _Words()
    return Image(
        url=url,
        width=number(element.get("width")),
        height=number(element.get("height")),
        caption=words.caption,
        credit=words.credit,
    )


def _extension(found: _Found) -> Extension:
    attributes = ((key, value) for key, value in found.element.items() if "}" not in key)
    return Extension(
        name=_SPELLING[found.name],
        text=tags.text(found.element),
        attributes=tuple(attributes),
    )


def number(digits: str | None) -> int:
    """Return a count as sent, 0 when it is none."""
    return parse_number((digits or "").strip(), most=10**15 - 1) or 0
