"""An entry as it is read: its picture, film, reading time, and whether more is elsewhere; pure."""

import re
from html import unescape
from urllib.parse import urlsplit

from aggregator.clean.html import players
from aggregator.models.entry import Entry, Image, SafeHtml

WORDS_A_MINUTE = 230

LEAST_READ = 200
"""Words from which a text has a reading time."""

SUMMARY_WORDS = 120
"""A text of a titled entry with fewer words is taken for a summary of the publisher's page."""

_ENDS_CUT = re.compile(
    r"(?:…|\.\.\.|\[…\]|\[\.\.\.\]|\b(?:read|see|show) (?:more|on)|continue reading)[\s.»→>)]*\Z",
    re.I,
)
_TAIL = 40
"""Characters at the end of a text that may say that it is cut."""

_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Characters of scripts without spaces: two take as long to read as a word."""

_IMAGE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_TAG = re.compile(r'<[a-z][^>"]*(?:"[^"]*"[^>"]*)*>')
"""A whole tag: an attribute may contain the text of another."""

_SOURCE = re.compile(r' src="([^"]*)"')
_OPENING = re.compile(r'\s*(?:<p>(<img(?: [a-z-]+="[^"]*")*>)</p>|(<img(?: [a-z-]+="[^"]*")*>))')
_FILE = re.compile(r"(.*?)(?:-\d{2,4}x\d{2,4})?(\.(?:jpe?g|png|gif|webp|avif))\Z", re.I | re.S)


def minutes(text: str) -> int:
    """Return the minutes that a text takes to read, 0 for a short one."""
    count = _words(text)
    return max(1, round(count / WORDS_A_MINUTE)) if count >= LEAST_READ else 0


def _words(text: str) -> int:
    dense = len(_DENSE.findall(text))
    return dense // 2 + len(_DENSE.sub(" ", text).split())


def is_summary(entry: Entry, *, is_played: bool) -> bool:
    """Return whether the publisher's page has more than the feed.

    Args:
        is_played: Whether the entry is something to hear or watch, which needs no long text.
    """
    if _ENDS_CUT.search(entry.text.rstrip()[-_TAIL:]):
        return True
    return bool(entry.title) and not is_played and _words(entry.text) < SUMMARY_WORDS


def film(entry: Entry) -> str:
    """Return the page where a site for films plays the entry, "" if none does.

    Players are not embedded: the page would report each reader to another site.
    """
    if players.is_film(entry.link):
        return entry.link
    shown = (players.film_page(enclosure.url) for enclosure in entry.enclosures)
    return next(filter(None, shown), "")


def picture_and_content(entry: Entry) -> tuple[Image | None, SafeHtml]:
    """Return the picture above the text, and the text, of which none shows the same picture.

    A picture that opens the text goes above it if the feed gives it a caption or a credit.
    """
    image, content = entry.image, entry.content
    if image is None:
        return None, content
    file = _file(image.url)
    if file not in (_file(url) for url in _sources(content)):
        return image, content
    opening = _OPENING.match(content)
    is_opening = opening is not None and file in map(_file, _sources(opening[0]))
    rest = content[opening.end() :] if opening else content
    is_again = file in (_file(url) for url in _sources(rest))
    if is_opening and not is_again and (image.caption or image.credit):
        return image, SafeHtml(rest)
    return None, content


def in_loading_order(content: SafeHtml, *, has_picture_above: bool) -> SafeHtml:
    """Return a text with its first picture loaded before all else, the others when scrolled to.

    Args:
        has_picture_above: Whether there is one above the text, which is the first.
    """
    first = not has_picture_above

    def hinted(tag: re.Match[str]) -> str:
        nonlocal first
        if not tag[0].startswith("<img "):
            return tag[0]
        hint = 'fetchpriority="high"' if first else 'loading="lazy"'
        first = False
        return f"{tag[0][:-1]} {hint}>"

    return SafeHtml(_TAG.sub(hinted, content))


def _sources(content: str) -> list[str]:
    sources = (_SOURCE.search(tag) for tag in _IMAGE.findall(content))
    return [unescape(source[1]) for source in sources if source]


def _file(url: str) -> str:
    """Return the common part of the URLs of one picture in several sizes."""
    parts = urlsplit(url)
    match = _FILE.match(parts.path)
    return f"{parts.netloc}{match[1]}{match[2].lower()}" if match else url
