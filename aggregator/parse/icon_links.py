"""The icons that an HTML page declares, the one for small sizes first."""

import re
from collections.abc import Iterator

from lxml import html as lxml_html

from aggregator.parse.page import absolute, base_of, page_of

MOST_ICONS = 3
LONGEST_URL = 2_000

_RELATIONS = {"icon": 0, "apple-touch-icon": 1, "apple-touch-icon-precomposed": 1}
"""`mask-icon` is left out: it is a drawing in one colour, and always SVG."""
_SIZE = re.compile(r"(\d{1,4})x\d{1,4}", re.IGNORECASE)
_SVG = re.compile(r"\.svgz?(?:[?#]|\Z)", re.IGNORECASE)


def icons(body: bytes, *, url: str, content_type: str, size: int) -> tuple[str, ...]:
    """Return the URLs of a page's icons in the order in which to try them; never raises.

    The smallest icon of at least the wanted size comes first, then those without a size, those for
    telephones, and the smaller ones. SVG is left out: it may contain scripts.

    Args:
        body: An HTML page, or anything.
        url: The page's URL, base of its links unless it has a `base` element.
        content_type: The Content-Type field as sent, for its charset.
        size: The wanted width and height in pixels.
    """
    page = page_of(body, content_type)
    if page is None:
        return ()
    found = sorted(_declared(page, base_of(page, url), size), key=lambda icon: icon[0])
    return tuple(dict.fromkeys(address for _, address in found))[:MOST_ICONS]


def _declared(
    page: lxml_html.HtmlElement, base: str, size: int
) -> Iterator[tuple[tuple[int, int], str]]:
    for link in page.iter("link"):
        ranks = [
            _RELATIONS[rel] for rel in (link.get("rel") or "").lower().split() if rel in _RELATIONS
        ]
        reference = (link.get("href") or "").strip()
        address = absolute(base, reference).partition("#")[0] if reference else ""
        kind = (link.get("type") or "").lower()
        is_svg = "svg" in kind or _SVG.search(address)
        if ranks and not is_svg and 0 < len(address) <= LONGEST_URL:
            yield _rank(link.get("sizes") or "", min(ranks), size), address


def _rank(sizes: str, relation: int, size: int) -> tuple[int, int]:
    """Return the place of an icon: first by kind, then by size."""
    widths = [int(width) for width in _SIZE.findall(sizes)]
    enough = [width for width in widths if width >= size]
    if enough:
        return relation * 2, min(enough)
    if widths:
        return 4, -max(widths)
    return relation * 2 + 1, 0
