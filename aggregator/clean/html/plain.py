"""Convert plain text to HTML."""

import itertools
import re

from aggregator.clean import text
from aggregator.clean.html.tags import escape
from aggregator.models import excerpt
from aggregator.models.entry import SafeHtml

MAX_LENGTH = 1_000_000
"""Characters of HTML; longer markup is kept as plain text, which costs little to read and show."""

NARROWEST, WIDEST = 50, 120
"""Line lengths between which line breaks may come from a text editor."""

FEWEST_LINES = 3
"""Lines of a paragraph from which their lengths show a width."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")


def paragraphs(words: str) -> SafeHtml:
    """Return plain text as HTML: blank lines separate paragraphs, and line breaks stay.

    The line breaks of text that was wrapped at a fixed width become spaces.
    """
    words = lines(excerpt.lead(text.legal(words), MAX_LENGTH))
    blocks = (_block(block.strip()) for block in _BLANK_LINE.split(words))
    return SafeHtml("".join(f"<p>{block}</p>" for block in blocks if block))


def lines(words: str) -> str:
    """Return a text with Unix line breaks."""
    return words.replace("\r\n", "\n").replace("\r", "\n")


def _block(block: str) -> str:
    rows = [row.strip() for row in block.split("\n")]
    return (" " if _is_wrapped(rows) else "<br>").join(map(escape, rows))


def _is_wrapped(rows: list[str]) -> bool:
    """Return whether every line breaks where the next word did not fit."""
    width = max(map(len, rows))
    if len(rows) < FEWEST_LINES or not NARROWEST <= width <= WIDEST:
        return False
    return all(
        len(row) + 1 + len(after.partition(" ")[0]) > width
        for row, after in itertools.pairwise(rows)
    )
