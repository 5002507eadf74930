"""robots.txt: which pages of a site may be fetched (RFC 9309)."""

from functools import lru_cache
from typing import TYPE_CHECKING

from aggregator import PRODUCT

if TYPE_CHECKING:  # imported once there is a robots.txt to judge
    from protego import Protego

LONGEST = 500 * 1024
"""Bytes that are read; RFC 9309 §2.5 asks for at least 500 KiB."""


def text_of(body: bytes) -> str:
    """Return the text of a robots.txt."""
    return body[:LONGEST].decode("utf-8-sig", "replace")


def allows(text: str, url: str) -> bool:
    """Return whether a robots.txt allows us to fetch a URL of its origin.

    Args:
        text: As `text_of` returns it, "" for none.
        url: An absolute URL.
    """
    return not text or bool(_parse(text).can_fetch(url, PRODUCT))


@lru_cache(maxsize=16)
def _parse(text: str) -> "Protego":
    from protego import Protego

    return Protego.parse(text)
