"""Find the file of a picture: lazy loading, srcset, placeholders and tracking pixels."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aggregator.clean import urls
from aggregator.clean.html.tags import LAZY, LAZY_SETS, MAYBE_LAZY

LARGEST = 2_000
"""Width in pixels above which a candidate only costs more."""

DENSEST = 3.0
"""Pixel density above which a candidate only costs more."""

LARGEST_ICON = 100
"""Pixels up to which a drawing without words is an icon, which leaves no note."""

MIN_DATA_LENGTH = 1_000
"""Length from which a `data:` URL is a picture and not a placeholder."""

_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*)(\s[^,]*)?")
_PLACEHOLDER = re.compile(
    r"[/_.-](?:1x1|3x2|blank|clear|dot|dummy|empty|gr[ae]y|holder|lazy[a-z_-]*|load(?:er|ing)"
    r"|pixel|placeholder|s(?:pacer)|trans(?:parent)?)[\w-]*\.(?:gif|png|svg|jpe?g|webp|avif)(?:[?#]|\Z)"
)
"""In a URL in lower case, after a slash."""
_PIXEL_STYLE = re.compile(r"(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|\Z)", re.I)
_LAZY = frozenset(LAZY)
_LATER_TYPES = ("image/webp", "image/avif")
_TYPES_FOR_FEW = ("image/jxl", "image/heic", "image/heif", "image/vnd.ms-photo", "image/jp2")


class _Candidate(NamedTuple):
    url: str
    width: float
    density: float


def address(sent: Mapping[str, str], source: str, base: str, others: Iterable[str] = ()) -> str:
    """Return the URL of a picture's file, or "" if it has none that can be fetched.

    An attribute for lazy loading comes before `src`, which may be a blurred preview.

    Args:
        sent: The attributes of `img`.
        source: The URL of its `src`, as `urls.absolute` returns it.
        base: URL that relative references resolve against.
        others: `srcset`s of the `source` elements beside it.
    """
    if not _LAZY.isdisjoint(sent):
        for name in LAZY:
            if name in sent and (url := _later(sent[name], base)):
                return url
    own = source if _may_be_file(sent.get("src", "")) else ""
    if own and not is_placeholder(own):
        return own
    sets = [*(sent.get(name, "") for name in LAZY_SETS), sent.get("srcset", ""), *others]
    from_sets = (largest(value, base) for value in sets)
    maybe_lazy = (_later(sent.get(name, ""), base) for name in MAYBE_LAZY)
    return next(filter(None, (*from_sets, *maybe_lazy)), own)


def _later(value: str, base: str) -> str:
    """Return the URL in an attribute for a script, "" for a switch such as `data-lazy="true"`."""
    return _file(value, base) if "/" in value or "." in value else ""


def _file(value: str, base: str) -> str:
    return urls.absolute(base, value) if _may_be_file(value) else ""


def _may_be_file(value: str) -> bool:
    return value[:5].lower() != "data:" and value.lstrip()[:1] not in "#{["


def is_placeholder(url: str) -> bool:
    """Return whether a URL looks like a placeholder that a script replaces."""
    return bool(_PLACEHOLDER.search(f"/{url.lower()}"))


def add_source(sets: list[str], sent: Mapping[str, str]) -> None:
    """Add the srcset of a `source` in a `picture`; widely supported types come first."""
    media_type = sent.get("type", "").lower()
    if media_type in _TYPES_FOR_FEW:
        return
    names = (*LAZY_SETS, "srcset", "data-src", "src")
    values = [value for name in names if (value := sent.get(name, ""))]
    at = len(sets) if media_type in _LATER_TYPES else 0
    sets[at:at] = values


def largest(srcset: str, base: str) -> str:
    """Return the largest sensible candidate of a srcset (HTML, "Parsing a srcset attribute")."""
    candidates = [candidate for candidate in _candidates(srcset, base) if candidate.url]
    if not candidates:
        return ""
    sensible = [c for c in candidates if c.width <= LARGEST and c.density <= DENSEST]
    if not sensible:
        return min(candidates, key=lambda c: (c.width, c.density)).url
    return max(sensible, key=lambda c: (c.width, c.density)).url


def _candidates(srcset: str, base: str) -> Iterable[_Candidate]:
    position = 0
    while candidate := _CANDIDATE.match(srcset, position):
        url, descriptor = candidate[1], candidate[2] or ""
        position = candidate.end()
        if url.endswith(","):
            url, descriptor, position = url.rstrip(","), "", candidate.end(1)
        if url[:5].lower() != "data:" and not is_placeholder(url):
            yield _Candidate(urls.absolute(base, url), *_size(descriptor.split()))


def _size(descriptors: list[str]) -> tuple[float, float]:
    """Return the width in pixels (0 if not given) and the density."""
    width, density = 0.0, 1.0
    for descriptor in descriptors:
        try:
            number = float(descriptor[:-1])
        except ValueError:
            continue
        if descriptor[-1] == "w":
            width = number
        elif descriptor[-1] == "x":
            density = number
    return width, density


def is_counter(sent: Mapping[str, str]) -> bool:
    """Return whether a picture is too small to be seen: a tracking pixel or a spacer."""
    for name in ("width", "height"):
        if name in sent and sent[name].strip().removesuffix("px") in ("0", "1"):
            return True
    return "style" in sent and bool(_PIXEL_STYLE.search(sent["style"]))


def is_large(sent: Mapping[str, str]) -> bool:
    """Return whether a drawing is declared too large to be an icon."""
    sizes = (sent.get("width", ""), sent.get("height", ""))
    numbers = [size.strip().removesuffix("px").partition(".")[0] for size in sizes]
    return any(size.isdecimal() and int(size[:6]) > LARGEST_ICON for size in numbers)


def is_embedded(sent: Mapping[str, str]) -> bool:
    """Return whether a picture is embedded as a `data:` URL, and is not a placeholder."""
    src = sent.get("src", "")
    return src[:11].lower() == "data:image/" and len(src) >= MIN_DATA_LENGTH
