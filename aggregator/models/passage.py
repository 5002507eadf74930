"""The passage of a text that a search found, with its matches marked. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from aggregator.models import search_text
from aggregator.models.search_terms import Term

MARK_OPEN, MARK_CLOSE = "\x02", "\x03"  # not legal in any stored text, so never mistaken

LENGTH, BEFORE = 260, 60
"""Characters of a passage, and of those before its first match."""

MAX_MATCHES = 100
"""Matches among which the passage with most of the terms is chosen."""

_WORD = re.compile(r"\s*\S+")
_BEGIN, _END = (f"(?{side}[^ {search_text.UNSPACED}])" for side in ("<!", "!"))


def pattern(terms: Iterable[Term]) -> re.Pattern[str] | None:
    """Return the expression that finds terms in a folded text, None if all are excluded."""
    words: list[str] = []
    runs: list[str] = []
    for term in terms:
        if term.is_excluded:
            continue
        parts = search_text.parts(term.words)
        is_open = search_text.is_run(parts[-1]) or term.is_prefix
        found = " *".join(map(re.escape, parts)) + ("" if is_open else _END)
        (runs if search_text.is_run(parts[0]) else words).append(found)
    # One look back for all words, not one for each: ten times faster.
    wanted = [*([f"{_BEGIN}(?:{'|'.join(words)})"] if words else ()), *runs]
    return re.compile("|".join(wanted)) if wanted else None


def marked(text: str, terms: re.Pattern[str]) -> str:
    """Return a passage with its matches between MARK_OPEN and MARK_CLOSE, "" without a match.

    Args:
        text: The whole text.
        terms: As `pattern` returns them.
    """
    folded = search_text.fold(text)
    spans = [match.span() for match in islice(terms.finditer(folded), MAX_MATCHES)]
    if not spans:
        return ""
    places = _places(text)
    return _cut(text, [(places[a], places[b]) for a, b in _best(folded, spans)])


def _best(folded: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the matches that fit into a passage, of that with most different ones."""

    def within(start: int) -> list[tuple[int, int]]:
        return [span for span in spans if start <= span[0] < start + LENGTH - BEFORE]

    candidates = (within(start) for start, _ in spans)
    return max(candidates, key=lambda some: len({folded[a:b] for a, b in some}))


def _cut(text: str, places: Sequence[tuple[int, int]]) -> str:
    first, last = places[0][0], places[-1][1]
    start = max(0, first - BEFORE)
    if start:
        start = text.find(" ", start, first) + 1 or start
    end = max(last, start + LENGTH)
    if end < len(text):
        end = max(last, text.rfind(" ", start, end)) if " " in text[last:end] else end
    pieces, done = ["…" if start else ""], start
    for begin, stop in places:
        if begin >= done:
            pieces += [text[done:begin], MARK_OPEN, text[begin:stop], MARK_CLOSE]
            done = stop
    return "".join([*pieces, text[done:end], "…" if end < len(text) else ""])


def _places(text: str) -> list[int]:
    """Return where each character of the folded text stands in the text, and where it ends."""
    places: list[int] = []
    at = 0
    for word in _WORD.findall(text):
        folded = search_text.fold(word)
        lengths = [] if len(folded) == len(word) else list(map(len, map(search_text.fold, word)))
        if not lengths:
            places += range(at, at + len(word))
        elif len(folded) == sum(lengths):
            places += (at + n for n, length in enumerate(lengths) for _ in range(length))
        else:  # characters that normalisation joins: about
            places += (at + n * len(word) // len(folded) for n in range(len(folded)))
        at += len(word)
    return [*places, at]
