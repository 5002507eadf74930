"""Entries as the pages tell them: titles that are never empty, pictures, passages, differences."""

import difflib
import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, groupby

from aggregator.models.entry import Enclosure, Entry, SafeHtml
from aggregator.store.entries.versions import Version
from aggregator.store.queries.fts import MARK_CLOSE, MARK_OPEN, Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources.sources import Label
from aggregator.web.pages.view_models import Change, Clip, Day, Story

_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+(?:(?![{_UNSPACED}])\W)*|\W+")
"""What differences are made of; scripts that put no spaces between words are taken by letter."""

TELLING_WORDS = 12
"""So many words of a headline, and of a summary, are asked after for related stories."""

LEAST_SHARE = 0.2
"""Related stories share at least this part of what a story's words tell."""

HALF_LIFE_DAYS = 30
LONGEST_DIFF, LONGEST_TEXT = 4_000, 40_000
"""Words of which a difference is shown, and characters that are looked at for them; longer texts
are compared by their beginnings."""

DIFF_STEPS = 4_000_000
"""What all differences of a page may cost, about a second; texts can be made that cost hours."""


def headline(entry: Entry | EntrySummary) -> str:
    """Return the title, else the first words, else what there is."""
    words = entry.title or " ".join(entry.summary.split()[:12])
    return words or entry.link or "Untitled"


def story(
    listed: EntrySummary,
    labels: Mapping[str, Label],
    *,
    sections: Mapping[str, str],
    found: tuple[str, str] | None = None,
    also: Sequence[EntrySummary] = (),
) -> Story:
    """Return an entry for a list.

    Args:
        labels: Of the sources, by id.
        sections: Titles of sections by id, to name the story's first one.
        found: Title and passage with the found words marked, of a search.
        also: Other reports of the same story.
    """
    label = labels.get(listed.source_id, Label(title=listed.source_id, sections=()))
    return Story(
        id=listed.id,
        url=f"/entry/{listed.id}",
        title=headline(listed),
        passage=marked(found[1]) if found and found[1] else SafeHtml(html.escape(listed.summary)),
        source_id=listed.source_id,
        source=label.title,
        at=listed.sort_at,
        section=next((sections[one] for one in label.sections if one in sections), ""),
        image=listed.image,
        kind=listed.kind,
        language=listed.language,
        also=tuple(
            (
                labels[one.source_id].title if one.source_id in labels else one.source_id,
                f"/entry/{one.id}",
            )
            for one in also
        ),
    )


def kind(enclosure: Enclosure) -> str:
    """Return audio, video or file."""
    first = enclosure.type.partition("/")[0]
    return first if first in ("audio", "video") else "file"


def clips(entry: Entry) -> tuple[Clip, ...]:
    """Return what can be played or fetched; pictures are shown as such."""
    return tuple(
        Clip(enclosure=enclosure, kind=kind(enclosure))
        for enclosure in entry.enclosures
        if not enclosure.type.startswith("image/")
    )


def marked(text: str) -> SafeHtml:
    """Return a passage as HTML, the found words in <mark>."""
    escaped = html.escape(text)
    return SafeHtml(escaped.replace(MARK_OPEN, "<mark>").replace(MARK_CLOSE, "</mark>"))


def by_day(stories: Sequence[Story]) -> tuple[Day, ...]:
    """Return stories under their days, in GMT."""
    return tuple(
        Day(day=day, stories=tuple(group))
        for day, group in groupby(stories, key=lambda story: story.at.date())
    )


def changes(entry: Entry, versions: Sequence[Version]) -> tuple[Change, ...]:
    """Return how each earlier wording differs from the next, newest first."""
    wordings = [(version.title, version.text) for version in versions] + [(entry.title, entry.text)]
    steps = DIFF_STEPS // (2 * len(versions) or 1)
    made = [
        Change(
            until=version.until,
            title=difference(wordings[at][0], wordings[at + 1][0], steps),
            text=difference(wordings[at][1], wordings[at + 1][1], steps),
        )
        for at, version in enumerate(versions)
    ]
    return tuple(reversed(made))


def difference(old: str, new: str, steps: int = DIFF_STEPS) -> SafeHtml:
    """Return what changed, word by word, as <del> and <ins>; "" when nothing did."""
    if old == new:
        return SafeHtml("")
    before, after = (_WORDS.findall(one[:LONGEST_TEXT])[:LONGEST_DIFF] for one in (old, new))
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    parts = [_same(before[:start])]
    for tag, a, b, c, d in _Bounded(gone, come, steps).get_opcodes():
        if tag == "equal":
            parts.append(_same(gone[a:b]))
            continue
        parts += [_marked("del", gone[a:b]), _marked("ins", come[c:d])]
    return SafeHtml("".join([*parts, _same(before[len(before) - end :])]))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words at their beginning two texts have in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


class _Bounded(difflib.SequenceMatcher[str]):
    """Compares for so many steps; what it has not compared by then counts as different."""

    def __init__(self, old: Sequence[str], new: Sequence[str], steps: int) -> None:
        # Without junk: it is quick and pairs the wrong words of any longer text.
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


def _same(words: Sequence[str]) -> str:
    text = "".join(words)
    shown = text if len(text) < 240 else f"{text[:100]} … {text[-100:]}"
    return html.escape(shown)


def _marked(tag: str, words: Sequence[str]) -> str:
    return f"<{tag}>{html.escape(''.join(words))}</{tag}>" if words else ""


def telling_words(entry: EntrySummary) -> dict[str, float]:
    """Return the words that may tell what an entry is about, each with its weight."""
    weights: dict[str, float] = {}
    for text, weight in ((entry.title, 2.0), (entry.summary, 1.0)):
        words = dict.fromkeys(word for word in _WORD.findall(text.casefold()) if len(word) > 2)
        new = [word for word in words if word not in weights]
        weights |= dict.fromkeys(new[:TELLING_WORDS], weight)
    return weights


def likeness(
    weights: Mapping[str, float], found: Mapping[str, Occurrences], limit: int = 40
) -> dict[int, float]:
    """Return the entries that share most of what the words tell, as a share of 0 to 1.

    A word tells the more the rarer it is among the entries around; one shared word alone makes
    no relation.
    """
    told: dict[int, list[float]] = {}
    whole = 0.0
    for word, weight in weights.items():
        where = found[word]
        value = weight * max(0.0, math.log(where.span / (len(where.ids) + 1)))
        whole += value
        for entry_id in where.ids:
            told.setdefault(entry_id, []).append(value)
    shares = {
        entry_id: sum(values) / whole
        for entry_id, values in told.items()
        if len(values) > 1 and whole and sum(values) / whole >= LEAST_SHARE
    }
    best = sorted(shares, key=lambda entry_id: (-shares[entry_id], -entry_id))[:limit]
    return {entry_id: shares[entry_id] for entry_id in best}


def related(
    listed: EntrySummary,
    likenesses: Mapping[int, float],
    others: Iterable[EntrySummary],
    limit: int,
) -> list[EntrySummary]:
    """Return the stories most related to one: alike, and of about the same time; no copies."""

    def near(other: EntrySummary) -> tuple[float, int]:
        days = abs(other.sort_at - listed.sort_at).total_seconds() / 86_400
        return likenesses[other.id] / (1 + days / HALF_LIFE_DAYS), other.id

    seen = _marks(listed)
    chosen: list[EntrySummary] = []
    for other in sorted(others, key=near, reverse=True):
        if other.hidden or seen & _marks(other):
            continue
        seen |= _marks(other)
        chosen.append(other)
    return chosen[:limit]


def _marks(one: EntrySummary) -> set[str]:
    """Return what copies of one story have in common, one or the other."""
    return {one.uri, one.canonical_url, headline(one).casefold()} - {""}
