"""Choose the lead picture of an entry."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from aggregator.clean import fingerprint, text, urls
from aggregator.clean.html.pictures import is_placeholder
from aggregator.models.entry import Enclosure, Image

WIDE = 600
"""Width in pixels that is enough for a page; a larger picture only costs more."""

SMALL = 300
"""Width in pixels below which a picture is a thumbnail."""

LEAST_WIDTH, LEAST_HEIGHT = 64, 48
"""Pixels below which a picture is an icon."""

BANNER = 5
"""Ratio of width to height from which a picture is a banner."""

FIGURE_LENGTH = 5_000
"""Characters after a picture that are searched for its caption."""

MOST_CONSIDERED = 50
"""Pictures of a text that are considered."""

_DECORATION = re.compile(
    r"https?://[^/]*gravatar\.com/|[^?]*/(?:emoji|smil(?:ey|ie)s?)/"
    r"|https?://(?:pixel|stats?)\.(?:wp|wordpress)\.com/|https?://feeds\.feedburner\.com/~"
    r"|https?://(?:www\.)?facebook\.com/tr\b"
)
_IMAGE = re.compile(r"<img (?:[a-z]+=\"[^\"]*\" ?)+>")
_ATTRIBUTE = re.compile(r"([a-z]+)=\"([^\"]*)\"")
_CAPTION = re.compile(
    r"[^<]*(?:<(?!/figure|figcaption)[^<]*)*<figcaption[^>]*>(.*?)</figcaption>", re.DOTALL
)
_WIDTH_IN_URL = re.compile(
    r"/[sw](\d{2,4})(?:-[a-z][^/]*)?/[^/]*\Z|=[sw](\d{2,4})(?:-[a-z-]+)?\Z"
    r"|-(\d{2,4})x\d{2,4}\.(?:jpe?g|png|webp|gif)(?:\?|\Z)|[?&](?:w|width)=(\d{2,4})(?:&|\Z)"
)


def find(
    images: Sequence[Image], enclosures: Sequence[Enclosure], content: str, *, base: str
) -> Image | None:
    """Return the lead picture of an entry, or None.

    Pictures that the entry names come first, then enclosures, then pictures in the text. A
    thumbnail is used only if there is no larger picture.

    Args:
        images: As published.
        enclosures: Cleaned.
        content: Sanitised.
        base: URL that relative references resolve against.
    """
    has_pictures = "<img " in content
    if not (images or enclosures or has_pictures):
        return None
    named = list(_named(images, base))
    wide = [image for image in named if image.width >= WIDE]
    if wide:
        return min(wide, key=lambda image: image.width)
    enclosed = (
        Image(url=enclosure.url, caption=enclosure.title)
        for enclosure in enclosures
        if enclosure.type.startswith("image/")
    )
    small: list[Image] = []
    in_text = _pictures_in(content) if has_pictures else ()
    for image in chain(named, enclosed, in_text):
        width = _width(image)
        if not width or width >= SMALL:
            return image
        small.append(image)
    return max(small, key=_width, default=None)


def _width(image: Image) -> int:
    """Return the width of a picture as declared or as its URL says, or 0."""
    if image.width:
        return image.width
    match = _WIDTH_IN_URL.search(image.url)
    return int(next(filter(None, match.groups()))) if match else 0


def _named(images: Iterable[Image], base: str) -> Iterator[Image]:
    for image in images:
        url = urls.absolute(base, image.url)
        if url and _is_real(url, image.width, image.height):
            yield Image(
                url=url,
                width=image.width,
                height=image.height,
                caption=text.line(image.caption, text.TITLE_LENGTH),
                credit=text.line(image.credit),
                is_artwork=image.is_artwork,
            )


def _is_real(url: str, width: int, height: int) -> bool:
    """Return whether a picture is not an icon, banner, tracking pixel or placeholder."""
    if 0 < width < LEAST_WIDTH or 0 < height < LEAST_HEIGHT:
        return False
    if height and width >= BANNER * height:
        return False
    return not (_DECORATION.match(url) or is_placeholder(url) or fingerprint.is_advertiser(url))


def _pictures_in(content: str) -> Iterator[Image]:
    """Yield the pictures of a sanitised text, in order."""
    for number, tag in enumerate(_IMAGE.finditer(content)):
        if number == MOST_CONSIDERED:
            return
        sent = dict(_ATTRIBUTE.findall(tag[0]))
        url = sent.get("src", "").replace("&amp;", "&")
        width, height = int(sent.get("width", 0)), int(sent.get("height", 0))
        if url and _is_real(url, width, height):
            caption = _caption(content, tag.end(), sent.get("alt", ""))
            yield Image(url=url, width=width, height=height, caption=caption)


def _caption(content: str, start: int, alt: str) -> str:
    end = start + FIGURE_LENGTH
    has_caption = content.find("<figcaption", start, end) >= 0
    caption = _CAPTION.match(content, start, end) if has_caption else None
    return text.one_line(text.plain(caption[1] if caption else alt), text.TITLE_LENGTH)
