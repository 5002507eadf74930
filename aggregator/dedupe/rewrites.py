"""Whether two reports in different words tell of one event. Pure.

Only reports with an opening text are compared, and only in one language. First come guards: what
keeps two reports apart whatever else they share. Then both must name the same, and enough of the
other signs must agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.dedupe import lexicon
from aggregator.dedupe.facts import Facts
from aggregator.dedupe.tokenizer import fold

MIN_LEAD_WORDS = 10
"""Words of both opening texts from which different wordings are compared."""

KEYS = 10
"""Rarest stems by which a report is found."""

SHARED = 2
"""Of these stems, how many two reports share that are compared."""

PLAIN, KNOWN, RARE, NAME = 0.35, 0.5, 0.7, 1.0
"""Weights of a word of any report, a word for a kind of event, another word, and a name."""

MIN_NAMES, MANY_NAMES = 2, 3
"""Names that both have: needed, and a sign of its own."""

MAX_TITLE_NAMES_APART = 0.34
"""Share of the names in either title that the other report lacks."""

SOME_TITLE, SOME_NUMBERS, SOME_WORDS = 0.25, 0.5, 0.3
"""Values from which titles, numbers and all words are signs of one event."""

VAGUE = frozenset({"raise", "lower", "begin", "end", "record", "return"})
"""Kinds of events that say little without what it is that rises or ends."""

MIN_SIGNS = 4
"""Signs that are needed, of six."""


@dataclass(frozen=True, slots=True)
class Features:
    """What two reports agree and differ in: shares from 0 to 1, `names` is a number."""

    cosine: float
    titles: float
    names: int
    title_names_apart: float
    numbers: float
    numbers_apart: float
    kinds: float
    kinds_apart: float
    places_apart: float
    days_apart: float


def weight(report: Facts, key: str) -> float:
    """Return how much a stem tells of one event and no other."""
    words = lexicon.of(report.language)
    shown = fold(report.words[key])
    if lexicon.is_common(words, shown):
        return PLAIN
    if words.marks_of(shown):
        return KNOWN
    return 1.0 if key in report.names else 0.7


def rare_stems(report: Facts) -> list[str]:
    """Return the stems by which a report is found: names first, of the title first."""

    def order(key: str) -> tuple[float, bool, int, str]:
        return (-weight(report, key), key not in report.title, -len(key), key)

    return sorted(report.words, key=order)[:KEYS]


def compare(one: Facts, other: Facts) -> Features:
    """Return the features of two reports in one language."""
    ours, theirs = set(one.words), set(other.words)
    both = ours & theirs
    total = _sum(one, ours), _sum(other, theirs)
    shared = _sum(one, both)
    titles = one.title & other.title
    title = min(_sum(one, one.title), _sum(other, other.title))
    names = {key for key in both if key in one.names or key in other.names}
    apart = [
        _sum(a, {k for k in a.title & a.names if k not in b.words}) / max(1, len(a.title & a.names))
        for a, b in ((one, other), (other, one))
    ]
    agree, differ = _numbers(one, other)
    kinds = (one.kinds & other.kinds) - VAGUE
    kinds_apart = [
        bool(a.title_kinds) and not (a.title_kinds & b.kinds) and bool(b.kinds)
        for a, b in ((one, other), (other, one))
    ]
    return Features(
        cosine=shared / (total[0] * total[1]) ** 0.5 if all(total) else 0.0,
        titles=_sum(one, titles) / title if title else 0.0,
        names=len(names),
        title_names_apart=min(apart),
        numbers=min(1.0, agree / 2),
        numbers_apart=min(1.0, differ / 2),
        kinds=min(1.0, len(kinds) / 2),
        kinds_apart=sum(kinds_apart) / 2,
        places_apart=float(
            bool(one.places and other.places)
            and one.places.isdisjoint(theirs)
            and other.places.isdisjoint(ours)
        ),
        days_apart=float(bool(one.days and other.days) and one.days.isdisjoint(other.days)),
    )


def _sum(report: Facts, keys: Iterable[str]) -> float:
    return sum(weight(report, key) for key in keys)


def _numbers(one: Facts, other: Facts) -> tuple[float, int]:
    """Return how far numbers agree, and how many of one unit differ."""
    ours = {n.value for n in one.numbers}
    theirs = {n.value for n in other.numbers}
    both = {a for a in ours if any(_is_equal(a, b) for b in theirs)}
    agree = sum(1.0 if abs(value) > 12 else 0.4 for value in both if value != 1)
    differ = 0
    for unit in {n.unit for n in one.numbers} & {n.unit for n in other.numbers} - {""}:
        mine = {n.value for n in one.numbers if n.unit == unit}
        yours = {n.value for n in other.numbers if n.unit == unit}
        differ += not any(_is_equal(a, b) for a in mine for b in yours)
    return agree, differ


def _is_equal(one: float, other: float) -> bool:
    return one == other or (min(one, other) >= 100 and abs(one - other) <= 0.03 * max(one, other))


def guard(one: Facts, other: Facts) -> str:
    """Return what keeps two reports apart whatever else they share, "" without anything."""
    if one.genres != other.genres:
        return "one is no report: opinion, preview, review, correction, analysis or round-up"
    if one.ahead != other.ahead:
        return "one is about what is to come"
    for kind in one.title_kinds - other.kinds:
        for against in other.title_kinds - one.kinds:
            if frozenset((kind, against)) in lexicon.OPPOSITES:
                return f"opposite outcomes: {kind} and {against}"
    for name in one.versions.keys() & other.versions.keys():
        if one.versions[name].isdisjoint(other.versions[name]):
            return f"another number beside {name}"
    return ""


def similarity(one: Facts, other: Facts) -> float:
    """Return how similar two reports of one event are, above 0 to 1; 0.0 if they are not."""
    if min(one.length, other.length) < MIN_LEAD_WORDS or one.language != other.language:
        return 0.0
    if guard(one, other):
        return 0.0
    found = compare(one, other)
    if found.names < MIN_NAMES or _differs(found, are_nouns_names=one.language == "de"):
        return 0.0
    signs = (
        found.names >= MANY_NAMES,
        found.kinds > 0,
        found.kinds_apart == 0,
        found.numbers >= SOME_NUMBERS,
        found.titles >= SOME_TITLE,
        found.cosine >= SOME_WORDS,
    )
    return found.cosine if sum(signs) >= MIN_SIGNS else 0.0


def _differs(found: Features, *, are_nouns_names: bool) -> bool:
    return (
        found.title_names_apart > MAX_TITLE_NAMES_APART
        or bool(found.places_apart or found.days_apart)
        or found.kinds_apart == 1
        or (found.numbers_apart > 0 and found.numbers < SOME_NUMBERS)
        or (found.names < MANY_NAMES and found.title_names_apart > 0 and not are_nouns_names)
        or (found.kinds == 0 and (found.titles < SOME_TITLE or found.numbers < SOME_NUMBERS))
    )


def reason(one: Facts, other: Facts) -> str:
    """Return why two reports are of one event, in plain words, the same in either order."""
    shared = one.words.keys() & other.words.keys()
    keys = sorted(key for key in shared if key in one.names or key in other.names)
    names = [min(one.words[key], other.words[key]) for key in keys[:SHOWN]]
    values = {number.value for number in one.numbers} & {number.value for number in other.numbers}
    figures = [f"{value:,.10g}" for value in sorted(values) if value > 1][:SHOWN]
    given = f", both give {', '.join(figures)}" if figures else ""
    return f"one event in other words: both name {', '.join(names)}{given}"


SHOWN = 5
"""Names and figures that a reason lists."""
