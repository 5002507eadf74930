"""Related entries: chosen by the rare terms that they share, and by distance in time; pure."""

import math
import re
from collections.abc import Iterable, Mapping

from aggregator.store.queries.fts import Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages.presenters import headline

_TERM = re.compile(r"[^\W\d_]+")

MAX_TERMS = 12
"""Terms of the headline, and terms of the summary, that are searched for."""

MIN_SIMILARITY = 0.2
"""Share of an entry's weighted terms that a related entry has."""

HALF_LIFE_DAYS = 30


def terms(entry: EntrySummary) -> dict[str, float]:
    """Return the terms that may name an entry's subject, each with its weight."""
    weights: dict[str, float] = {}
    for text, weight in ((entry.title, 2.0), (entry.summary, 1.0)):
        words = dict.fromkeys(word for word in _TERM.findall(text.casefold()) if len(word) > 2)
        new = [word for word in words if word not in weights]
        weights |= dict.fromkeys(new[:MAX_TERMS], weight)
    return weights


def similarities(
    weights: Mapping[str, float], occurrences: Mapping[str, Occurrences], limit: int = 40
) -> dict[int, float]:
    """Return the most similar entries: the share of the weighted terms that each has, 0 to 1.

    A term weighs more the rarer it is among the neighbouring entries. An entry that shares only
    one term is left out.
    """
    values: dict[int, list[float]] = {}
    total = 0.0
    for term, weight in weights.items():
        occurrence = occurrences[term]
        value = weight * max(0.0, math.log(occurrence.span / (len(occurrence.ids) + 1)))
        total += value
        for entry_id in occurrence.ids:
            values.setdefault(entry_id, []).append(value)
    shares = {
        entry_id: sum(shared) / total
        for entry_id, shared in values.items()
        if len(shared) > 1 and total and sum(shared) / total >= MIN_SIMILARITY
    }
    best = sorted(shares, key=lambda entry_id: (-shares[entry_id], -entry_id))[:limit]
    return {entry_id: shares[entry_id] for entry_id in best}


def choose(
    entry: EntrySummary,
    similarities: Mapping[int, float],
    candidates: Iterable[EntrySummary],
    limit: int,
) -> list[EntrySummary]:
    """Return the entries most related to one: similar and close in time; no copies."""

    def closeness(other: EntrySummary) -> tuple[float, int]:
        days = abs(other.sort_at - entry.sort_at).total_seconds() / 86_400
        return similarities[other.id] / (1 + days / HALF_LIFE_DAYS), other.id

    seen = _copy_keys(entry)
    chosen: list[EntrySummary] = []
    for other in sorted(candidates, key=closeness, reverse=True):
        if other.hidden or seen & _copy_keys(other):
            continue
        seen |= _copy_keys(other)
        chosen.append(other)
    return chosen[:limit]


def _copy_keys(entry: EntrySummary) -> set[str]:
    """Return the values of which two copies of an entry share at least one."""
    return {entry.uri, entry.canonical_url, headline(entry).casefold()} - {""}
