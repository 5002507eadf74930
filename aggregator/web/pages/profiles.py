"""Profiles: the names, sources and pace of a saved view or a topic, from its latest entries."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode

from aggregator.models import search_text
from aggregator.models.config import Config, View
from aggregator.models.query import Query, Stories
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.queries import select
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.web.feeds.views import resolve
from aggregator.web.i18n import ngettext
from aggregator.web.pages import bars
from aggregator.web.pages.entry_lists import EntryLists
from aggregator.web.pages.view_models import EntryItem, Profile, Sparkline

READ = 150
"""Latest entries from which a profile is made."""

NAMES, SOURCES, COVERED = 8, 6, 5

MIN_NAMED = 3
"""Entries that a listed name is in."""

DAYS, COUNTED = 30, 2_000
"""Days of the chart, and entries that are counted for it at most."""

MAX_VIEWS = 50
"""Saved views that an entry is looked for in."""

_SENTENCE = re.compile(r"(?<!\b[^\W\d_])[.!?…:;|]\s+|[\"“”„«»()\n]")
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:[-'’][^\W\d_]+)*\d*")
_POSSESSIVE = re.compile("['’]s$")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc]{3,}")

# Written with a capital, and no names.
_CALENDAR = frozenset(
    (
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
        "saturday", "sunday",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A summary of the latest entries of a view, to be kept for a while.

    Args:
        names, sources: With the number of entries.
        pace: The entries of each day.
        covered: Ids of entries, with the number of sources that report their story.
    """

    names: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, int], ...]
    pace: tuple[int, ...]
    covered: tuple[tuple[int, int], ...]


def digest(lists: EntryLists, query: Query, title: str, now: datetime) -> Digest:
    """Return a summary of the latest entries of a view.

    Args:
        title: Of the view; its words are no news about it.
        now: The last day of the chart.
    """
    each = replace(query, stories=Stories.EXPAND, limit=None)
    latest = lists.select(each, limit=READ)
    return Digest(
        names=tuple(names(latest, f"{title} {query.q}")),
        sources=tuple(Counter(entry.source_id for entry in latest).most_common(SOURCES)),
        pace=_pace(lists.db, each, now),
        covered=_most_covered(lists, query),
    )


def compose(lists: EntryLists, digest: Digest) -> Profile:
    """Return the profile of a view; entries that were hidden since are left out."""
    labels = sources.labels(lists.db, [source for source, _ in digest.sources])
    by_id = lists.get_many(entry_id for entry_id, _ in digest.covered)
    shown = {id: entry for id, entry in by_id.items() if not entry.hidden}
    items = {item.id: item for item in lists.items(shown.values())}
    return Profile(
        names=tuple((name, _search_path(name), count) for name, count in digest.names),
        sources=tuple((id, labels[id], count) for id, count in digest.sources if id in labels),
        pace=_chart(digest.pace),
        most_covered=tuple((items[id], count) for id, count in digest.covered if id in items),
    )


def _search_path(name: str) -> str:
    return "/search?" + urlencode({"q": f'"{name}"'})


def _pace(db: Connection, query: Query, now: datetime) -> tuple[int, ...]:
    """Return the number of entries of each of the last days, the present last."""
    first = now.date() - timedelta(days=DAYS - 1)
    ids = select.select_ids(db, query, limit=COUNTED)
    dates = sorted(at.date() for at, _ in entries.get_places(db, ids).values())
    if len(ids) == COUNTED:
        first = max(first, dates[0] + timedelta(days=1))  # the first is counted in part
    counts = Counter(date for date in dates if first <= date <= now.date())
    days = (now.date() - first).days + 1
    return tuple(counts[first + timedelta(days=n)] for n in range(days))


def _chart(values: Sequence[int]) -> Sparkline | None:
    if not any(values):
        return None
    label = ngettext(
        "Last day: %(entries)s, at most %(most)d a day",
        "Last %(num)d days: %(entries)s, at most %(most)d a day",
        len(values),
        entries=ngettext("%(num)d entry", "%(num)d entries", sum(values)),
        most=max(values),
    )
    return bars.draw(values, label)


def _most_covered(lists: EntryLists, query: Query) -> tuple[tuple[int, int], ...]:
    """Return the latest stories of a view that most sources report, with their number."""
    items = lists.items(lists.select(query, limit=READ))
    if not items:
        return ()
    newest = max(item.at for item in items)

    def coverage(item: EntryItem) -> float:
        return len(item.other_reports) / (1 + (newest - item.at) / timedelta(days=1))

    covered = sorted((item for item in items if item.other_reports), key=coverage, reverse=True)
    return tuple((item.id, len(item.other_reports) + 1) for item in covered[:COVERED])


def names(entries: Sequence[EntrySummary], known: str) -> list[tuple[str, int]]:
    """Return the names in texts, the most frequent first, each with its number of entries.

    A name is a word with a capital within a sentence, or some in a row; in German, where all nouns
    have one, only some in a row or an abbreviation; in Japanese a word of katakana.

    Args:
        known: Words of which no name is listed.
    """
    counts: Counter[str] = Counter()
    small: set[str] = set()
    for entry in entries:
        found, others = _names_of(entry)
        counts.update(found)
        small |= others
    skipped = set(search_text.fold(known).split())
    candidates = {
        name: count
        for name, count in counts.items()
        if name.casefold() not in small and not skipped & set(search_text.fold(name).split())
    }
    _join_parts(candidates)
    ranked = sorted(candidates.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(name, count) for name, count in ranked if count >= MIN_NAMED][:NAMES]


def _names_of(entry: EntrySummary) -> tuple[set[str], set[str]]:
    """Return the names of an entry, and its words that are no names."""
    found = set(_KATAKANA.findall(f"{entry.title} {entry.summary}"))
    small: set[str] = set()
    is_german = entry.language.startswith("de")
    for sentence in _SENTENCE.split(entry.summary):
        words = [_POSSESSIVE.sub("", word).replace(".", "") for word in _WORD.findall(sentence)]
        small |= {word for word in words if word.islower()}
        for is_name, group in groupby(words[1:], key=_is_capital):
            parts = list(group)[-3:]
            name = " ".join(parts)
            if is_name and (not is_german or len(parts) > 1 or parts[0].isupper()):
                found.add(name)
    return found, small


def _is_capital(word: str) -> bool:
    return word[0].isupper() and len(word) > 1 and word.casefold() not in _CALENDAR


def _join_parts(counts: dict[str, int]) -> None:
    """Count a name that is a part of a more complete one with it: "Obama", "Barack Obama"."""
    by_length = sorted(counts, key=lambda name: (len(name.split()), counts[name]), reverse=True)
    for whole in by_length:
        if whole not in counts or counts[whole] < MIN_NAMED - 1:
            continue
        for part in whole.split():
            if part != whole and counts.get(part, 0) <= 4 * counts[whole]:
                counts[whole] += counts.pop(part, 0)


def mentioning(db: Connection, entry_id: int, config: Config, now: datetime) -> list[View]:
    """Return the public saved views that an entry is in."""
    public = [view for view in config.views if not view.token][:MAX_VIEWS]
    return [
        view
        for view in public
        if select.contains(db, resolve("view", view.id, "", config).at(now).query, entry_id)
    ]


def links(views: Iterable[View]) -> tuple[tuple[str, str], ...]:
    """Return title and path of the profile of each view."""
    return tuple((view.title, f"/view/{view.id}") for view in views)
