"""Related entries: similar in their rare words and near in time; pure.

    words of the entry | where they occur around it | how rare each is | candidates | similarity

The similarity of two entries is the cosine between their words: a word of the headline counts
twice, and each word as much as it is rare among the entries around (idf).
"""

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from aggregator.models import search_text
from aggregator.store.queries.fts import Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages.presenters import headline
from aggregator.web.pages.timed_cache import TimedCache

RelatedCache = TimedCache[int, list[int]]
"""The ids of related entries by entry, most related first: to find them takes milliseconds."""

MAX_TERMS = 16
"""Words of the headline, and words of the summary, that are searched for."""

MAX_CANDIDATES = 60
"""Entries that share the rarest words with an entry, and are compared with it."""

MIN_SIMILARITY = 0.16
"""Similarity of related entries, after the loss for their distance in time."""

MIN_SHARED = 2
"""Words that related entries share."""

DECAY_DAYS = 90
"""Distance in time after which a fifth of the similarity is lost; three fifths in three years."""

MAX_OF_SOURCE = 3
"""Related entries of one source."""

COMMON = 20
"""Entries with a word from which it tells how frequent words of its language are."""

MAX_LANGUAGE = math.log(20)
"""Most that the rarity of a whole language makes up of the rarity of its words."""

_STEM = 7
"""Letters by which words count as the same, with any endings."""


def terms(entry: EntrySummary) -> list[str]:
    """Return the words of an entry to look for, as the search index has them."""
    title = list(dict.fromkeys(_words(headline(entry))))[:MAX_TERMS]
    lead = [word for word in dict.fromkeys(_words(entry.summary)) if word not in title]
    return [*title, *lead[:MAX_TERMS]]


def _words(text: str) -> list[str]:
    found: list[str] = []
    for part in search_text.parts(search_text.fold(text)):
        if search_text.is_run(part):
            found += [part[at : at + 2] for at in range(max(1, len(part) - 1))]
        elif len(part) > 2 and not part.isdigit():
            found.append(part)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rarity:
    """How rare the words of an entry are, by stem.

    Args:
        usual: Among all entries around it.
        own: Among those of its own source, which repeats phrases of its own.
        own_ids: Of the entries of that source.
    """

    usual: Mapping[str, float]
    own: Mapping[str, float]
    own_ids: Collection[int]

    def of(self, entry_id: int) -> Mapping[str, float]:
        """Return the rarity of words that an entry shares."""
        return self.own if entry_id in self.own_ids else self.usual


def rarity(found: Mapping[str, Occurrences], own_ids: Collection[int]) -> Rarity:
    """Return how rare words are.

    Args:
        found: Where each occurs around an entry.
        own_ids: Entries of its source.
    """
    raw = {word: math.log((at.span + 1) / (len(at.ids) + 1)) for word, at in found.items()}
    # Each word of a language that few entries are in seems rare: only the difference counts.
    common = [value for word, value in raw.items() if len(found[word].ids) >= COMMON]
    language = min([MAX_LANGUAGE, *common]) if common else 0.0
    usual: dict[str, float] = {}
    own: dict[str, float] = {}
    for word, at in found.items():
        stem, value = word[:_STEM], max(0.0, raw[word] - language)
        among_own = math.log((len(own_ids) + 1) / (len(set(at.ids) & set(own_ids)) + 1))
        usual[stem] = min(usual.get(stem, value), value)
        own[stem] = min(own.get(stem, value), value, 1.5 * max(0.0, among_own))
    return Rarity(usual=usual, own=own, own_ids=own_ids)


def candidates(found: Mapping[str, Occurrences], rarity: Rarity) -> list[int]:
    """Return the entries that share the rarest words, most first."""
    shared: dict[int, float] = {}
    for word, at in found.items():
        for entry_id in at.ids:
            shared[entry_id] = shared.get(entry_id, 0.0) + rarity.of(entry_id)[word[:_STEM]]
    return heapq.nlargest(MAX_CANDIDATES, shared, key=lambda entry_id: (shared[entry_id], entry_id))


def rank(entry: EntrySummary, others: Iterable[EntrySummary], rarity: Rarity) -> list[EntrySummary]:
    """Return the entries that are related to one, the most similar and nearest in time first."""
    found = [(similarity(entry, other, rarity.of(other.id)), other) for other in others]
    related = [(score, other) for score, other in found if score >= MIN_SIMILARITY]
    related.sort(key=lambda pair: (-pair[0], -pair[1].id))
    return [other for _, other in related]


def similarity(entry: EntrySummary, other: EntrySummary, rarity: Mapping[str, float]) -> float:
    """Return how much two entries are about the same, 0 to 1; less the further apart in time."""
    # The rarity of words that only the other entry has is not known.
    unknown = sum(rarity.values()) / len(rarity) if rarity else 0.0
    ours, theirs = (_vector(each, rarity, unknown) for each in (entry, other))
    shared = [stem for stem in ours.keys() & theirs.keys() if ours[stem]]
    norm = math.hypot(*ours.values()) * math.hypot(*theirs.values())
    if len(shared) < MIN_SHARED or not norm:
        return 0.0
    days = abs(other.sort_at - entry.sort_at) / timedelta(days=1)
    cosine = sum(ours[stem] * theirs[stem] for stem in shared) / norm
    return min(1.0, cosine) / math.cbrt(1 + days / DECAY_DAYS)


def _vector(entry: EntrySummary, rarity: Mapping[str, float], unknown: float) -> dict[str, float]:
    weights = dict.fromkeys((word[:_STEM] for word in _words(entry.summary)), 1.0)
    weights |= dict.fromkeys((word[:_STEM] for word in _words(headline(entry))), 2.0)
    return {stem: weight * rarity.get(stem, unknown) for stem, weight in weights.items()}


def choose(
    entry: EntrySummary,
    ranked: Iterable[EntrySummary],
    stories: Mapping[int, int],
    limit: int,
) -> list[EntrySummary]:
    """Return the first entries to show: each of another story, no copies, few of one source.

    Args:
        ranked: As `rank` returns them.
        stories: The story of each entry by id, its own id if it has none.
    """
    seen = _copy_keys(entry, stories)
    counts: Counter[str] = Counter()
    chosen: list[EntrySummary] = []
    for other in ranked:
        keys = _copy_keys(other, stories)
        if other.hidden or seen & keys or counts[other.source_id] == MAX_OF_SOURCE:
            continue
        seen |= keys
        counts[other.source_id] += 1
        chosen.append(other)
    return chosen[:limit]


def _copy_keys(entry: EntrySummary, stories: Mapping[int, int]) -> set[object]:
    """Return the values of which two copies of an entry, or reports of a story, share one."""
    keys = {entry.uri, entry.canonical_url, headline(entry).casefold()} - {""}
    return {*keys, stories.get(entry.id, entry.id)}
