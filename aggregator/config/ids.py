"""Ids for new sources and sections, readable and valid for any title."""

import contextlib
import re
import unicodedata
from collections.abc import Collection

from aggregator.models.urls import host_of

LONGEST = 40
"""Characters, without the number that tells two ids apart."""

_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Latin letters that Unicode does not decompose."""


def source_id(title: str, url: str, taken: Collection[str]) -> str:
    """Return an unused id from a title, or from the host of the URL if it has no Latin word."""
    slug = _slug(title)
    stem = slug if re.search("[a-z]{2}", slug) else _slug(_host(url)) or slug or "source"
    return _unused(stem, taken)


def section_id(title: str, taken: Collection[str]) -> str:
    """Return an unused id from a title."""
    return _unused(_slug(title) or "section", taken)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS)).lower()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['’ʼ]", "", plain)
    slug = "-".join(re.findall("[a-z0-9]+", plain))
    if len(slug) > LONGEST:
        slug = slug[: LONGEST + 1].rpartition("-")[0] or slug[:LONGEST]
    return slug


def _host(url: str) -> str:
    host = host_of(url)
    with contextlib.suppress(UnicodeError):  # else it stays in Punycode
        host = host.encode("ascii").decode("idna")
    return re.sub(r"^(www|feeds?|rss)\.(?=.*\.)", "", host)


def _unused(stem: str, taken: Collection[str]) -> str:
    number, unused = 2, stem
    while unused in taken:
        unused, number = f"{stem}-{number}", number + 1
    return unused
