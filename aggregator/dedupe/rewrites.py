"""Whether two reports in different words tell of one event. Pure.

Only reports with an opening text are compared, and only in one language. First come guards: what
keeps two reports apart whatever else they share. Then features are weighed: a logistic model, whose
weights `benchmarks/fit_stories.py` fits to the labelled events and writes to `weights`.
"""

import math
from collections.abc import Collection, Iterable, Mapping

from aggregator.dedupe import lexicon
from aggregator.dedupe.facts import NAME, RARE, Facts, word
from aggregator.dedupe.weights import BIAS, WEIGHTS

MIN_LEAD_WORDS = 10
"""Words of both opening texts from which different wordings are compared."""

KEYS = 10
"""Rarest stems by which a report is found."""

SHARED = 2
"""Of these stems, how many two reports share that are compared."""

THRESHOLD = 1.88
"""Log odds from which two reports are of one event: 0.97 of such joins in the labelled events are
right, measured on events that the weights were not fitted to."""

VAGUE = frozenset({"raise", "lower", "begin", "end", "record", "return"})
"""Kinds of events that say little without what it is that rises or ends."""

SMALL = 12
"""Numbers above are hardly in two reports by chance."""


def weight(report: Facts, key: str) -> float:
    """Return how much a stem tells of one event and no other."""
    known = word(report.language, report.words[key])
    return NAME if key in report.names and not known.is_plain else known.weight


def rare_stems(report: Facts) -> list[str]:
    """Return the stems by which a report is found: names first, of the title first."""

    def order(key: str) -> tuple[float, bool, int, str]:
        return (-weight(report, key), key not in report.title, -len(key), key)

    return sorted(report.words, key=order)[:KEYS]


def features(one: Facts, other: Facts, phrases: float) -> dict[str, float]:
    """Return what two reports in one language agree and differ in, the same in either order.

    Args:
        phrases: Share of the shorter opening text's phrases that the other has.
    """
    return {
        "phrases": min(1.0, 4 * phrases),
        **_words(one, other),
        **_names(one, other),
        **_numbers(one, other),
        **_events(one, other),
        **_times(one, other),
    }


def _words(one: Facts, other: Facts) -> dict[str, float]:
    both = one.words.keys() & other.words.keys()
    total = _sum(one, one.words) * _sum(other, other.words)
    title = min(_sum(one, one.title), _sum(other, other.title))
    shared = (_sum(one, one.title & other.title) + _sum(other, one.title & other.title)) / 2
    return {
        "words": (_sum(one, both) * _sum(other, both) / total) ** 0.5 if total else 0.0,
        "rare words": math.log1p(
            sum(min(weight(one, key), weight(other, key)) >= RARE for key in both)
        ),
        "titles": shared / title if title else 0.0,
        "title in the other": min(_found(one, other), _found(other, one)),
    }


def _found(report: Facts, other: Facts) -> float:
    """Return the share of a title that the other report has anywhere."""
    total = _sum(report, report.title)
    return _sum(report, report.title & other.words.keys()) / total if total else 0.5


def _names(one: Facts, other: Facts) -> dict[str, float]:
    both = one.words.keys() & other.words.keys()
    either = {key for key in both if key in one.names or key in other.names}
    apart = [_missing(a.names, b) for a, b in ((one, other), (other, one))]
    titles = sorted(_missing(a.title & a.names, b) for a, b in ((one, other), (other, one)))
    ours = [key for key in dict.fromkeys(one.order) if key in other.order]
    theirs = [key for key in dict.fromkeys(other.order) if key in one.order]
    return {
        "names": math.log1p(sum(key in one.names and key in other.names for key in both)),
        "names overlap": len(either) / max(1, min(len(one.names), len(other.names))),
        "names apart": max(apart),
        "title names": math.log1p(len(either & one.title & other.title)),
        "title names apart": titles[0],
        "title names apart at most": titles[1],
        "names in another order": float(ours != theirs),
    }


def _missing(keys: Collection[str], other: Facts) -> float:
    return sum(key not in other.words for key in keys) / max(1, len(keys))


def _numbers(one: Facts, other: Facts) -> dict[str, float]:
    ours, theirs = ({n.value for n in each.numbers} - {1.0} for each in (one, other))
    shared = [value for value in ours if _has(theirs, value)]
    shared_back = [value for value in theirs if _has(ours, value)]
    large = min(sum(abs(v) > SMALL for v in side) for side in (shared, shared_back))
    small = min(sum(abs(v) <= SMALL for v in side) for side in (shared, shared_back))
    apart = min(len(ours) - len(shared), len(theirs) - len(shared_back))
    missing = [
        bool(titled) and not any(_has(values, value) for value in titled)
        for titled, values in (
            (one.title_numbers - {1.0}, theirs),
            (other.title_numbers - {1.0}, ours),
        )
    ]
    labels = one.labels.keys() & other.labels.keys()
    return {
        "large numbers": min(3, large),
        "small numbers": min(2, small),
        "numbers apart": min(3, apart),
        "numbers of one unit apart": min(2, _units_apart(one, other)),
        "title numbers missing": sum(missing),
        "numbers after one word apart": min(
            2, sum(one.labels[key].isdisjoint(other.labels[key]) for key in labels)
        ),
    }


def _units_apart(one: Facts, other: Facts) -> int:
    """Return of how many units no number agrees."""
    apart = 0
    for unit in {n.unit for n in one.numbers} & {n.unit for n in other.numbers} - {""}:
        theirs = {n.value for n in other.numbers if n.unit == unit}
        apart += not any(_has(theirs, n.value) for n in one.numbers if n.unit == unit)
    return apart


def _has(values: Iterable[float], value: float) -> bool:
    return any(_is_equal(value, each) for each in values)


def _is_equal(one: float, other: float) -> bool:
    return one == other or (min(one, other) >= 100 and abs(one - other) <= 0.03 * max(one, other))


def _events(one: Facts, other: Facts) -> dict[str, float]:
    apart = [
        bool(a.title_kinds and b.kinds) and a.title_kinds.isdisjoint(b.kinds)
        for a, b in ((one, other), (other, one))
    ]
    opposite = _opposite(one.opening_kinds - other.kinds, other.opening_kinds - one.kinds)
    return {
        "kinds": float(bool((one.opening_kinds & other.opening_kinds) - VAGUE)),
        "kinds apart": sum(apart),
        "opposites": float(bool(opposite)),
        "genres apart": float(one.genres | one.lead_genres != other.genres | other.lead_genres),
    }


def _opposite(ours: Iterable[str], theirs: Collection[str]) -> str:
    for kind in sorted(ours):
        for against in sorted(theirs):
            if frozenset((kind, against)) in lexicon.OPPOSITES:
                return f"{kind} and {against}"
    return ""


def _times(one: Facts, other: Facts) -> dict[str, float]:
    ahead = one.ahead or one.opening_ahead, other.ahead or other.opening_ahead
    return {
        "days apart": float(_differ(one.days, other.days)),
        "opening days apart": float(_differ(one.opening_days, other.opening_days)),
        "places": float(not one.places.isdisjoint(other.places)),
        "one opening ahead": float(one.opening_ahead != other.opening_ahead),
        "one ahead": float(ahead[0] != ahead[1]),
    }


def _differ(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def _sum(report: Facts, keys: Iterable[str]) -> float:
    return sum(weight(report, key) for key in keys)


def guard(one: Facts, other: Facts) -> str:
    """Return what keeps two reports apart whatever else they share, "" without anything."""
    if one.language != other.language:
        return "they are in two languages"
    if min(one.length, other.length) < MIN_LEAD_WORDS:
        return "an opening text is too short"
    if one.genres != other.genres:
        return "one is no report: opinion, preview, review, correction, analysis or round-up"
    if one.ahead != other.ahead:
        return "one is about what is to come"
    if opposite := _opposite(one.title_kinds - other.kinds, other.title_kinds - one.kinds):
        return f"opposite outcomes: {opposite}"
    for name in one.versions.keys() & other.versions.keys():
        if one.versions[name].isdisjoint(other.versions[name]):
            return f"another number beside {name}"
    return ""


def log_odds(found: Mapping[str, float], language: str) -> float:
    """Return how likely features are those of one event, as the logarithm of the odds."""
    return BIAS[language] + sum(WEIGHTS[name] * value for name, value in found.items())


def similarity(one: Facts, other: Facts, phrases: float) -> float:
    """Return how likely two reports are of one event, above 0 to 1; 0.0 if they hardly are.

    Args:
        phrases: Share of the shorter opening text's phrases that the other has.
    """
    if guard(one, other):
        return 0.0
    odds = log_odds(features(one, other, phrases), one.language)
    return 1 / (1 + math.exp(-odds)) if odds >= THRESHOLD else 0.0


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
