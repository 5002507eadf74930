"""Differences between two versions of a text, word by word, within a bound on their cost; pure."""

import difflib
import html
import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from aggregator.models.entry import Entry, SafeHtml
from aggregator.store.entries.versions import Version
from aggregator.web.pages.view_models import Change

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+(?:(?![{_UNSPACED}])\W)*|\W+")
"""The units that are compared; scripts without spaces between words are compared by letter."""

MAX_WORDS, MAX_CHARACTERS = 4_000, 40_000
"""The part of a text that is compared; the rest of a longer text is ignored."""

MAX_STEPS = 4_000_000
"""Cost of all differences on a page, about a second; some texts would take hours."""


def changes(entry: Entry, versions: Sequence[Version]) -> tuple[Change, ...]:
    """Return how each earlier version of an entry differs from the next, newest first."""
    texts = [(version.title, version.text) for version in versions] + [(entry.title, entry.text)]
    steps = MAX_STEPS // (2 * len(versions) or 1)
    oldest_first = [
        Change(
            until=version.until,
            title=difference(texts[at][0], texts[at + 1][0], steps),
            text=difference(texts[at][1], texts[at + 1][1], steps),
        )
        for at, version in enumerate(versions)
    ]
    return tuple(reversed(oldest_first))


def difference(old: str, new: str, steps: int = MAX_STEPS) -> SafeHtml:
    """Return the differences between two texts as <del> and <ins>; "" if they are equal."""
    if old == new:
        return SafeHtml("")
    before, after = (_WORDS.findall(text[:MAX_CHARACTERS])[:MAX_WORDS] for text in (old, new))
    start = _common_prefix(before, after)
    end = _common_prefix(before[start:][::-1], after[start:][::-1])
    removed, added = before[start : len(before) - end], after[start : len(after) - end]
    parts = [_unchanged(before[:start])]
    for tag, a, b, c, d in _BoundedMatcher(removed, added, steps).get_opcodes():
        if tag == "equal":
            parts.append(_unchanged(removed[a:b]))
            continue
        parts += [_marked("del", removed[a:b]), _marked("ins", added[c:d])]
    return SafeHtml("".join([*parts, _unchanged(before[len(before) - end :])]))


def _common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the common beginning of two lists."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))


class _BoundedMatcher(difflib.SequenceMatcher[str]):
    """Compares within a number of steps; the parts left over count as different."""

    def __init__(self, old: Sequence[str], new: Sequence[str], steps: int) -> None:
        # The junk heuristic is fast, but pairs unrelated words in longer texts.
        super().__init__(None, old, new, autojunk=False)
        self._steps = steps
        counts = Counter(new)
        self._costs = tuple(accumulate((1 + counts[word] for word in old), initial=0))

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        cost = self._costs[-1 if ahi is None else ahi] - self._costs[alo]
        if cost > self._steps:
            return difflib.Match(alo, blo, 0)
        self._steps -= cost
        return super().find_longest_match(alo, ahi, blo, bhi)


def _unchanged(words: Sequence[str]) -> str:
    text = "".join(words)
    shown = text if len(text) < 240 else f"{text[:100]} … {text[-100:]}"
    return html.escape(shown)


def _marked(tag: str, words: Sequence[str]) -> str:
    return f"<{tag}>{html.escape(''.join(words))}</{tag}>" if words else ""
