"""Which entries of different sources are reports of one story, and why.

A new report is compared with the first report of each story that an index finds near, never with
those that joined it later, so that no chain of likenesses leads from one story to another. Only an
equal page counts for every member: what stands at one address is one text. In their order:

    page      both link to one page; not a site's home, nor a page that one source links to from
              several entries, nor if nothing in one speaks of what is in the other
    hint      one names the other as where it is from (via, feed, id), and their titles agree
    title     the same telling title within `WINDOW`; not one that a source has used before
    text      nearly the same beginning, though the headline was written anew
    likeness  much the same title, and a beginning that agrees

What tells a pair of a series apart is that each title has words that the other report knows
nothing of: "Part 3" and "Part 4", one town and another, "raises" and "cuts". So such words may
stand on one side, never on both. Reports of one source are never one story.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import combinations

import xxhash

from aggregator.dedupe.tokenizer import AGAINST, Stems, Words, beginning, read, sequences, strangers

VERSION = b"2"
"""Part of every key; a new rule for making keys needs a new version."""

WINDOW = timedelta(days=3)
"""Reports further apart are no one story, unless they are one page."""

TITLE_SKETCH, LEAD_SKETCH = 4, 2
"""So many words of a title, and sequences of a lead, stand for it in the index."""

SEQUENCE, BEGINNING = 4, 12
"""Words of a sequence, and of a lead's beginning, to which papers cut it at least."""

MOST_LIKELY = 12
"""With so many reports one that has keys in common is compared."""

_DATELINE = re.compile(r"\A\W*[^()【】.]{0,50}[(【][^)】]{1,30}[)】][\s.:–—-]*")
"""Place and agency at the beginning of a wire report: `OSLO, 12 May (NNA) -`."""

TELLING_TITLE = 4
"""Words that a title needs to be evidence by itself."""

LONG_LEAD = 10
"""Words from which a lead is evidence."""

SAME_TEXT, SOME_TEXT, FORM_TEXT = 0.7, 0.25, 0.1
"""Shares of the shorter lead's sequences of words that stand in the other lead: enough for one
text, for a beginning that agrees, and for what may be one form filled in twice."""

SAME_SUBJECT, SOME_SUBJECT = 0.35, 0.15
"""Shares of the shorter lead's telling words that stand in the other report."""

SAME_TITLE, MUCH_TITLE, SOME_TITLE = 0.75, 0.6, 0.4
"""Shares of two titles' telling words that stand in both."""

ABOUT = 0.4
"""Share of a headline's telling words that stand in the text which it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An entry as it is compared.

    Args:
        page: Its page's canonical URL, "" when it has none.
        hints: What it may share with another report of the story: where it is from, its id.
        feed: URL of the feed that it was copied from, else of its own.
    """

    id: int
    source_id: str
    title: str
    lead: str
    at: datetime
    page: str = ""
    hints: tuple[str, ...] = ()
    feed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A story that a report may belong to.

    Args:
        story: Its id.
        first: The report it began with.
        sources: Of its members.
        same_page, hinted, worn: Whether a member has the report's page; whether one names the
            other; whether the report's title is one that a source uses again and again.
    """

    story: int
    first: Report
    sources: Collection[str]
    same_page: bool = False
    hinted: bool = False
    worn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A report joins a story: why, in words, and how alike it is to the first, 0 to 1."""

    story: int
    reason: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a report is found by, as 64-bit numbers; 0 or () where it has none of the kind.

    Args:
        page, title: What it shares with reports of the same page or title.
        hints: What it is hinted by; asks: what a report that it has a hint in common with has.
        near: A report that is much alike is likely to have some of them too; only the first
            report of a story is found by them.
    """

    page: int
    title: int
    hints: tuple[int, ...]
    asks: tuple[int, ...]
    near: tuple[int, ...]

    @property
    def asked(self) -> tuple[int, ...]:
        """All by which it may find others."""
        return (self.page, self.title, *self.asks, *self.near)


def keys(report: Report, *, is_news: bool = True) -> Keys:
    """Return the keys of a report; if it is no news, none by which what is alike is found."""
    title = beginning(report.title)
    telling = {token.word for token in title if token.tells}
    page = report.page if _is_telling_page(report.page) else ""
    hints = tuple(_key(b"hint", hint) for hint in report.hints)
    pages = tuple(_key(b"page", hint) for hint in report.hints)
    return Keys(
        page=_key(b"page", page) if page else 0,
        title=_key(b"title", *(token.word for token in title)) if telling else 0,
        hints=hints,
        asks=(*hints, *pages, *((_key(b"hint", page),) if page else ())),
        near=(*_triples(telling), *_sequences(report)) if is_news else (),
    )


def likely(keys: Keys, by_key: Mapping[int, Iterable[int]]) -> list[int]:
    """Return the reports that may well be much alike, the likeliest first.

    Args:
        by_key: The reports that are found by each key.
    """
    found = [report for key in keys.near for report in by_key.get(key, ())]
    return [report for report, _ in Counter(found).most_common(MOST_LIKELY)]


def _triples(words: Iterable[str]) -> list[int]:
    """Return a number for any three words of a title's sketch: two are often together."""
    numbers = _sketch(map(_number, words), TITLE_SKETCH)
    if len(numbers) < 2:
        return []
    return [sum(some) for some in combinations(numbers, min(3, len(numbers)))]


def _sequences(report: Report) -> list[int]:
    """Return the sketch of the sequences of words with which a lead begins."""
    begins = beginning(_lead_of(report), BEGINNING)
    if len(begins) < LONG_LEAD:
        return []
    numbers = [_number(token.word) for token in begins]
    return _sketch(map(sum, sequences(numbers, SEQUENCE)), LEAD_SKETCH)


def _sketch(numbers: Iterable[int], size: int) -> list[int]:
    """Return the smallest numbers: of texts that are alike, mostly the same ones.

    This is the "bottom k" form of MinHash.
    """
    return sorted(set(numbers))[:size]


@lru_cache(maxsize=16_384)  # few words make most of any text
def _number(word: str) -> int:
    """Return a word's number, of 61 bits, so that four together are one that SQLite keeps."""
    return _hash(_beginning(word)) >> 3


def _key(kind: bytes, *values: str) -> int:
    """Return a number as SQLite keeps it, of 64 bits with a sign."""
    return _hash(" ".join(values), kind) - 2**63


def _hash(text: str, kind: bytes = b"word") -> int:
    return xxhash.xxh3_64_intdigest(VERSION + kind + b" " + text.encode("utf-8", "surrogatepass"))


def _beginning(word: str) -> str:
    return word if word[0].isdigit() else word[:5]  # so that inflections count as the same


def _is_telling_page(page: str) -> bool:
    return bool(page.partition("://")[2].partition("/")[2])


def decide(report: Report, candidates: Sequence[Candidate]) -> Join | None:
    """Return the story that a report joins, None when it begins its own.

    The strongest reason decides, then the greater similarity, then the older story.
    """
    best: tuple[int, float, int] | None = None
    joined: Join | None = None
    for candidate in candidates:
        if report.source_id in candidate.sources:
            continue
        found = _compare(report, candidate)
        if found is None:
            continue
        strength, reason, similarity = found
        order = (-strength, -similarity, candidate.story)
        if best is None or order < best:
            best = order
            joined = Join(story=candidate.story, reason=reason, similarity=round(similarity, 2))
    return joined


def _compare(report: Report, candidate: Candidate) -> tuple[int, str, float] | None:
    if candidate.same_page and not _Pair(report, candidate.first).is_strange():
        return 5, "it links to the same page", 1.0
    is_far = abs(report.at - candidate.first.at) > WINDOW
    if is_far and not candidate.hinted:
        return None
    pair = _Pair(report, candidate.first)
    if candidate.hinted and (pair.title >= SOME_TITLE or pair.text >= SAME_TEXT):
        return 4, "one names the other as its origin, and they agree", max(pair.title, pair.text)
    if is_far:
        return None
    if pair.is_same_title() and not candidate.worn:
        return 3, "its title is the same", 1.0
    if pair.is_same_text():
        return 2, "its text begins nearly the same", pair.text
    if pair.is_alike() and (pair.text >= SOME_TEXT or not candidate.worn):
        return 1, "its title and beginning are much alike", pair.likeness
    return None


class _Pair:
    """Two reports, and how alike they are."""

    def __init__(self, one: Report, other: Report) -> None:
        self.titles = read(one.title), read(other.title)
        self.leads = _lead(one), _lead(other)
        self.long = min(len(lead.all) for lead in self.leads) >= LONG_LEAD
        self.title = _dice(*(title.telling for title in self.titles))
        self.text = _containment(*(lead.threes for lead in self.leads))

    @cached_property
    def known(self) -> tuple[Stems, Stems]:
        """All words that the first has, and the second."""
        told = zip(self.titles, self.leads, strict=True)
        first, second = (Stems(title.telling | lead.telling) for title, lead in told)
        return first, second

    @cached_property
    def unlike(self) -> tuple[frozenset[str], frozenset[str]]:
        """Words of the first title that the second report does not have, and the reverse."""
        return self._apart(self.titles)

    @cached_property
    def alone(self) -> tuple[frozenset[str], frozenset[str]]:
        """The same of the leads."""
        return self._apart(self.leads)

    def _apart(self, texts: tuple[Words, Words]) -> tuple[frozenset[str], frozenset[str]]:
        first, second = self.known
        return strangers(texts[0].telling, second), strangers(texts[1].telling, first)

    @property
    def subject(self) -> float:
        """Share of the shorter lead's telling words that stand in the other report."""
        if not self.long:
            return 0.0
        pairs = zip(self.leads, self.alone, strict=True)
        words, missing = min((len(lead.telling), len(alone)) for lead, alone in pairs)
        return 1 - missing / words if words else 0.0

    @property
    def likeness(self) -> float:
        """How alike titles and leads are together."""
        return (self.title + self.subject) / 2 if self.long else self.title

    def is_strange(self) -> bool:
        """Whether neither title has a word that the other report knows, nor the leads a phrase.

        Else whoever names the page of another first could put any headline in its place.
        """
        pairs = zip(self.titles, self.unlike, strict=True)
        return not self.text and all(
            title.telling and alone == title.telling for title, alone in pairs
        )

    def is_same_title(self) -> bool:
        """Whether the titles are equal and say enough, and the leads don't speak against it."""
        one, other = self.titles
        if one.all != other.all or len(one.telling) < TELLING_TITLE:
            return False
        return not self.long or (self.subject >= SOME_SUBJECT and not self.is_series())

    def is_same_text(self) -> bool:
        """Whether one text stands under two headlines that are about it or about the same."""
        if not self.long or self.text < SAME_TEXT or self.is_series():
            return False
        return self._is_reworded() or all(map(self._is_about, self.titles))

    def _is_about(self, title: Words) -> bool:
        text = Stems(self.leads[0].telling & self.leads[1].telling)
        return len(strangers(title.telling, text)) <= (1 - ABOUT) * len(title.telling)

    def _is_reworded(self) -> bool:
        """Whether the titles say much the same in another order: a form keeps its order."""
        if self.title < SOME_TITLE:
            return False
        first, second = (
            [_beginning(word) for word in title.all if word in title.telling - alone]
            for title, alone in zip(self.titles, self.unlike, strict=True)
        )
        return first != second

    def is_alike(self) -> bool:
        """Whether titles and leads agree, and no word tells the titles apart from both sides."""
        enough = min(len(title.telling) for title in self.titles) >= TELLING_TITLE
        if self.title < MUCH_TITLE or all(self.unlike) or self.is_series():
            return False
        if not self.long:
            is_numbered = any(word[0].isdigit() for alone in self.unlike for word in alone)
            return enough and self.title >= SAME_TITLE and not is_numbered
        return self.text >= SOME_TEXT or (enough and self.subject >= SAME_SUBJECT)

    def is_series(self) -> bool:
        """Whether the two are one form filled in twice, so that what differs are the facts."""
        one, other = self.titles
        if self.unlike[0] & one.numbers and self.unlike[1] & other.numbers:
            return True
        if any(alone & AGAINST for alone in self.unlike):
            return True
        return self._has_other_winner() or (
            self.long and self.text >= FORM_TEXT and all(self._facts(side) for side in (0, 1))
        )

    def _facts(self, side: int) -> frozenset[str]:
        """Return the numbers and names that only one lead has, and what its title names too."""
        lead, alone = self.leads[side], self.alone[side]
        titled = Stems(self.unlike[side])
        return alone & (lead.numbers | lead.names | {word for word in alone if word in titled})

    def _has_other_winner(self) -> bool:
        """Whether two titles with one score name the sides in another order."""
        one, other = self.titles
        if not any("-" in number for number in one.numbers & other.numbers):
            return False
        orders = [[_beginning(word) for word in title.all] for title in self.titles]
        first, second = (
            [word for word in order if word in orders[0] and word in orders[1]] for order in orders
        )
        return first != second


def _lead_of(report: Report) -> str:
    return _DATELINE.sub("", report.lead, count=1)


def _lead(report: Report) -> Words:
    return read(_lead_of(report))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    """Return which share of all words stand, in whatever inflection, on both sides."""
    if not one or not other:
        return 0.0
    missing = len(strangers(one - other, Stems(other))) + len(strangers(other - one, Stems(one)))
    return 1 - missing / (len(one) + len(other))


def _containment(one: frozenset[object], other: frozenset[object]) -> float:
    """Return which share of the smaller set is in the larger."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0
