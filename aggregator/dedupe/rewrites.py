"""Whether two reports in different words tell of one event. Pure.

Only reports with an opening text are compared, and only in one language. First come guards,
which keep two reports apart in any case. Then features are weighed by a logistic model:
`benchmarks/fit_stories.py` fits its weights to the labelled events and writes them to `weights`.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import replace
from functools import lru_cache

from aggregator.dedupe import lexicon
from aggregator.dedupe.facts import RARE, Facts
from aggregator.dedupe.weights import BIAS, WEIGHTS
from aggregator.models.evidence import Evidence

MIN_LEAD_WORDS = 10
"""Words of both opening texts from which different wordings are compared."""

KEYS, KEYS_UNSPACED, NUMBER_KEYS = 10, 14, 2
"""Rarest stems by which a report is found; in Chinese and Japanese, where two or three stems stand
for one name; and numbers."""

SHARED = 2
"""Of these terms, how many two reports share that are compared."""

THRESHOLD_SHORT, THRESHOLD_LONG = 0.05, 2.1
"""Log odds from which two reports are of one event, with an opening text of `SHORT_LEAD` words and
of `LONG_LEAD` words: the more two texts say, the more two events may seem to have in common."""

SHORT_LEAD, LONG_LEAD = 21, 27

FORM = 0.25
"""Share of the shorter opening text's phrases that the other has, from which both may be one form
filled in twice: then as much must agree as in long texts."""

VAGUE = frozenset({"raise", "lower", "begin", "end", "record", "return"})
"""Kinds of events that say little without the thing that rises or ends."""

FAR = 0.08
"""Similarity of all words below which two reports are not compared any further. Of the labelled
pairs that are joined without a link, none has less."""

OUTLOOK = 3
"""Words about the future, those of a preview twice, by which a report is about the future."""

SMALL = 12
"""Numbers above are hardly in two reports by chance."""

ROUNDED = 100
"""Numbers from which one report may round what the other counts."""


def index_terms(report: Facts) -> list[str]:
    """Return the rarest stems and numbers, by which a report is found: names of the title first."""

    def order(key: str) -> tuple[float, bool, int, str]:
        return (-report.weights[key], key not in report.title, -len(key), key)

    telling = sorted((value for value in report.values if _telling(value) >= 1), reverse=True)
    most = KEYS if lexicon.of(report.language).spaced else KEYS_UNSPACED
    least = min(sorted(report.weights.values(), reverse=True)[:most], default=0.0)
    rarest = (key for key, weight in report.weights.items() if weight >= least)
    return [
        *sorted(rarest, key=order)[:most],
        *(f"{value:.10g}" for value in telling[:NUMBER_KEYS]),
    ]


def are_far_apart(one: Facts, other: Facts) -> bool:
    """Return whether two reports have so few words in common that no rule would join them.

    Not if they seem to be in two languages: of a short title that may be a wrong guess.
    """
    if one.language != other.language:
        return False
    shared = one.weights.keys() & other.weights.keys()
    return _cosine(one, other, shared, one.weight * other.weight) < FAR


def features(one: Facts, other: Facts, phrases: float) -> dict[str, float]:
    """Return how two reports in one language agree and differ, the same in either order.

    Args:
        phrases: Share of the shorter opening text's phrases that the other has.
    """
    shared = one.weights.keys() & other.weights.keys()
    named = frozenset(key for key in shared if key in one.proper or key in other.proper)
    names = len(named) / max(1, len(one.proper | named) * len(other.proper | named)) ** 0.5
    return {
        "phrases": min(1.0, 4 * phrases),
        **_words(one, other, shared, named, names),
        **_names(one, other, shared),
        **_numbers(one, other, names),
        **_events(one, other),
        **_times(one, other),
    }


def _words(
    one: Facts, other: Facts, shared: Set[str], named: frozenset[str], names: float
) -> dict[str, float]:
    content = _cosine(one, other, shared - named, one.plain_weight * other.plain_weight)
    sizes = sorted((math.log1p(len(one.weights)), math.log1p(len(other.weights))))
    return {
        "words": _cosine(one, other, shared, one.weight * other.weight),
        "rare words": math.log1p(
            sum(min(one.weights[key], other.weights[key]) >= RARE for key in shared)
        ),
        "length of the shorter": sizes[0],
        "length of the longer": sizes[1],
        "other words": content,
        "shared names": names,
        "names and other words": (names * content) ** 0.5,
        "title in the other": max(_found(one, other), _found(other, one)),
    }


def _cosine(one: Facts, other: Facts, shared: Iterable[str], total: float) -> float:
    """Return how similar two sets of words are, of which the product of the weights is `total`."""
    return (_sum(one, shared) * _sum(other, shared) / total) ** 0.5 if total else 0.0


def _sum(report: Facts, keys: Iterable[str]) -> float:
    return sum(map(report.weights.__getitem__, keys))


def _found(report: Facts, other: Facts) -> float:
    """Return the share of a title that the other report has anywhere."""
    total = _sum(report, report.title)
    return _sum(report, report.title & other.weights.keys()) / total if total else 0.5


def _names(one: Facts, other: Facts, shared: Set[str]) -> dict[str, float]:
    either = {key for key in shared if key in one.names or key in other.names}
    apart = [_missing(a.names, b) for a, b in ((one, other), (other, one))]
    titles = sorted(_missing(a.title & a.names, b) for a, b in ((one, other), (other, one)))
    return {
        "names": math.log1p(sum(key in one.names and key in other.names for key in shared)),
        "names apart": max(apart),
        "title names": math.log1p(len(either & one.title & other.title)),
        "title names apart": titles[0],
        "title names apart at most": titles[1],
    }


def _missing(keys: Collection[str], other: Facts) -> float:
    return sum(key not in other.weights for key in keys) / max(1, len(keys))


def _numbers(one: Facts, other: Facts, names: float) -> dict[str, float]:
    ours, theirs = one.values - {1.0}, other.values - {1.0}
    missing = [value for value in ours if not _has(theirs, value)]
    missing_back = [value for value in theirs if not _has(ours, value)]
    telling = min(2.5, _sum_telling(ours, missing), _sum_telling(theirs, missing_back))
    telling_apart = min(
        sum(_telling(value) >= 1 for value in values) for values in (missing, missing_back)
    )
    missing_titles = [
        bool(titled) and not any(_has(values, value) for value in titled)
        for titled, values in (
            (one.title_numbers - {1.0}, theirs),
            (other.title_numbers - {1.0}, ours),
        )
    ]
    labels = one.labels.keys() & other.labels.keys()
    return {
        "telling numbers": telling,
        "names and numbers": min(1.5, telling) * names,
        "telling numbers apart": min(2, telling_apart),
        "numbers of one unit apart": min(2, _units_apart(one, other)),
        "title numbers missing": sum(missing_titles),
        "numbers after one word apart": min(
            2, sum(one.labels[key].isdisjoint(other.labels[key]) for key in labels)
        ),
    }


def _sum_telling(values: Iterable[float], missing: Collection[float]) -> float:
    return sum(_telling(value) for value in values if value not in missing)


@lru_cache(maxsize=1_024)
def _telling(value: float) -> float:
    """Return how much a number tells of one event and no other."""
    if value < 0 or value != int(value):
        return 1.2
    if value <= SMALL:
        return 0.15 if value <= 3 else 0.4
    if 1900 <= value <= 2100:  # a year
        return 0.3
    return 0.5 if value in _ROUND else 1.0


_ROUND = frozenset((20, 24, 30, 40, 50, 100, 1e3, 1e4, 1e6, 1e9))


def _units_apart(one: Facts, other: Facts) -> int:
    """Return of how many units no number agrees."""
    apart = 0
    for unit in {n.unit for n in one.numbers} & {n.unit for n in other.numbers} - {""}:
        theirs = {n.value for n in other.numbers if n.unit == unit}
        apart += not any(_has(theirs, n.value) for n in one.numbers if n.unit == unit)
    return apart


def _has(values: Collection[float], value: float) -> bool:
    """Whether a number is one of others, or one of those rounded, or the reverse."""
    return value in values or (
        value >= ROUNDED and any(each >= ROUNDED and _is_near(value, each) for each in values)
    )


def _is_near(one: float, other: float) -> bool:
    low, high = min(one, other), max(one, other)
    return high - low <= 0.03 * high or (
        high - low <= 0.15 * high and (_is_rounded(one) or _is_rounded(other))
    )


@lru_cache(maxsize=1_024)
def _is_rounded(value: float) -> bool:
    """Whether only the first figure of a number is not 0."""
    digits = f"{value:.0f}"
    return not digits[1:].strip("0")


def _events(one: Facts, other: Facts) -> dict[str, float]:
    ours, theirs = one.kinds - VAGUE, other.kinds - VAGUE
    apart = [
        bool(a.title_kinds and b.kinds) and a.title_kinds.isdisjoint(b.kinds)
        for a, b in ((one, other), (other, one))
    ]
    return {
        "kinds": float(bool((one.opening_kinds & other.opening_kinds) - VAGUE)),
        "share of kinds": len(ours & theirs) / max(1, len(ours | theirs)),
        "no kind in common": float(_differ(ours, theirs)),
        "kinds apart": sum(apart),
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
    less, more = sorted((_outlook(one), _outlook(other)))
    return {
        "days apart": float(_differ(one.days, other.days)),
        "dates apart": float(bool(one.dates and other.dates) and one.dates.isdisjoint(other.dates)),
        "opening days apart": float(_differ(one.opening_days, other.opening_days)),
        "one opening ahead": float(one.opening_ahead != other.opening_ahead),
        "one ahead": float(ahead[0] != ahead[1]),
        "words of plans": min(3, more) - min(3, less),
        "only one looks ahead": float(not less and more >= 2),
    }


def _differ(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def is_preview(one: Facts, other: Facts) -> bool:
    """Return whether only one report is about the future."""
    less, more = sorted((_outlook(one), _outlook(other)))
    both = (one, other), (other, one)
    return (not less and more >= OUTLOOK) or any(
        a.ahead and not (b.ahead or b.opening_ahead or b.planned) for a, b in both
    )


def _outlook(report: Facts) -> int:
    """Return how much a report speaks of the future."""
    ahead, plans = report.future
    return 2 * ahead + plans


def guard(one: Facts, other: Facts) -> str:
    """Return why two reports are apart in any case, "" without a reason."""
    if one.language != other.language:
        return "they are in two languages"
    if min(one.length, other.length) < MIN_LEAD_WORDS:
        return "an opening text is too short"
    if one.genres != other.genres:
        return "one is no report: opinion, preview, review, correction, analysis or round-up"
    if is_preview(one, other):
        return "one is about what is to come"
    if opposite := _opposite(one.title_kinds - other.kinds, other.title_kinds - one.kinds):
        return f"opposite outcomes: {opposite}"
    for name in one.versions.keys() & other.versions.keys():
        if one.versions[name].isdisjoint(other.versions[name]):
            return f"another number beside {name}"
    return ""


def log_odds(found: Mapping[str, float]) -> float:
    """Return how likely features are those of one event, as the logarithm of the odds."""
    return BIAS + math.fsum(WEIGHTS[name] * value for name, value in found.items())


def threshold(words: int, phrases: float) -> float:
    """Return the log odds from which two reports are of one event.

    Args:
        words: Length of the shorter opening text.
        phrases: As in `features`.
    """
    if phrases >= FORM:
        return THRESHOLD_LONG
    share = min(1.0, max(0.0, (words - SHORT_LEAD) / (LONG_LEAD - SHORT_LEAD)))
    return THRESHOLD_SHORT + share * (THRESHOLD_LONG - THRESHOLD_SHORT)


def similarity(one: Facts, other: Facts, phrases: float) -> float:
    """Return how likely two reports are of one event, above 0 to 1; 0.0 if they hardly are.

    Args:
        phrases: Share of the shorter opening text's phrases that the other has.
    """
    if guard(one, other):
        return 0.0
    odds = log_odds(features(one, other, phrases))
    least = threshold(min(one.length, other.length), phrases)
    return _likelihood(odds) if odds >= least else 0.0


def evidence(one: Facts, other: Facts, phrases: float, *, is_scored: bool) -> Evidence:
    """Return where two reports agree, the same in either order.

    Args:
        phrases: As in `features`.
        is_scored: Whether they are joined by `similarity`, not by another rule.
    """
    shared = one.weights.keys() & other.weights.keys()
    keys = sorted(
        (key for key in shared if key in one.proper or key in other.proper),
        key=lambda key: (-((key in one.title) + (key in other.title)), key),
    )
    values = one.values & other.values
    ours, theirs = (dict(zip(each.weights, each.written, strict=True)) for each in (one, other))
    agreed = Evidence(
        names=tuple(min(ours[key], theirs[key]) for key in keys[:SHOWN]),
        figures=tuple(map(_written, sorted(value for value in values if value > 1)))[:SHOWN],
    )
    if not is_scored:
        return agreed
    found = features(one, other, phrases)
    odds, least = log_odds(found), threshold(min(one.length, other.length), phrases)
    return replace(
        agreed,
        score=round(_likelihood(odds), 2),
        needed=round(_likelihood(least), 2),
        decisive=tuple(kind for kind in SUPPORT if odds - _support(found, kind) < least),
    )


def _written(value: float) -> str:
    return f"{value:.0f}" if 1900 <= value <= 2100 else f"{value:,.10g}"


def _support(found: Mapping[str, float], kind: str) -> float:
    """Return how much a kind of evidence adds to the log odds."""
    return sum(max(0.0, WEIGHTS[name] * found[name]) for name in SUPPORT[kind])


def _likelihood(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


SUPPORT: Mapping[str, tuple[str, ...]] = {
    "names": ("shared names", "names", "title names", "names and numbers", "names and other words"),
    "figures": ("telling numbers", "names and numbers"),
    "words": ("words", "rare words", "other words", "names and other words"),
    "headline": ("title in the other", "title names"),
}
"""Features by the kind of evidence that they are of."""

SHOWN = 5
"""Names and figures that are shown."""
