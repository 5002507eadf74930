"""Measure the precision of story matching, and its cost per new entry.

    python -m benchmarks.stories [--entries 100000] [--corpus DIR]

First it evaluates the hand-labelled pairs of tests/dedupe. Then it stores invented entries of 400
sources in batches like those of polls, 10,000 a day with nightly cleaning; a third report a recent
story in a source's own words, including copies, rewritten headlines and numbered series. Half of
the others are in words of the labelled events, in eight languages, with other names and numbers;
half are of invented words. With a corpus, the entries of its feeds come first. Only the search for
stories is timed.
"""

import argparse
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, product
from pathlib import Path

from aggregator.clean import entry as cleaning
from aggregator.ingest import stories as storylines
from aggregator.models.config import Source
from aggregator.models.entry import Entry, SafeHtml
from aggregator.parse import document
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, stories
from aggregator.store.sources import sync
from tests.dedupe import events, labelled

SOURCES, BATCH, PER_DAY = 400, 25, 10_000
WORDS = 50_000
_SYLLABLES = (*"aeiou", "ba", "ke", "li", "mo", "nu", "ra", "so", "ten", "vir", "wal")
START = datetime(2009, 6, 27, tzinfo=UTC)


class Newsroom:
    """Invents entries; a third report a recent story of another source."""

    def __init__(self) -> None:
        self._chance = random.Random(2)
        self._words = ["".join(parts) for parts in product(_SYLLABLES, repeat=4)][:WORDS]
        self._chance.shuffle(self._words)
        # The n-th word of a language is about 1/n as frequent as the first (Zipf's law).
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
        self._recent: list[Entry] = []

        self._spoken: dict[str, tuple[list[str], list[str]]] = {}
        for _, reports in events.events():
            for _, told in reports:
                titles, leads = self._spoken.setdefault(told.language, ([], []))
                titles += _words(told.story.title)
                leads += _words(told.story.lead)

    def _report(self) -> tuple[str, str]:
        """Return a title and a lead in words of the labelled events, as frequent as there."""
        titles, leads = self._chance.choice(list(self._spoken.values()))
        title, lead = self._chance.choices(titles, k=8), self._chance.choices(leads, k=35)
        return " ".join(map(self._rename, title)), " ".join(map(self._rename, lead))

    def _rename(self, word: str) -> str:
        if word[0].isdigit():
            return str(self._chance.randrange(2, 10 ** (len(word) + 1)))
        return self._chance.choice(self._words).capitalize() if word[0].isupper() else word

    def _text(self, count: int) -> str:
        return " ".join(self._chance.choices(self._words, cum_weights=self._weights, k=count))

    def entry(self, number: int, now: datetime) -> Entry:
        page, summary = f"https://news.example/{number}", self._text(45)
        title = self._text(9).capitalize()
        if number % 2:
            title, summary = self._report()
        entry = Entry(
            guid=page, link=page, canonical_url=page, title=title,
            summary=summary, content=SafeHtml(f"<p>{summary}</p>"), text=summary, published=now,
            updated=None, fingerprint=b"%d" % number,
        )  # fmt: skip
        kind = self._chance.random()
        if self._recent and kind < 0.33:
            entry = self._retold(entry, self._chance.choice(self._recent), kind)
        else:
            if kind > 0.95:
                title = f"Weekly letter of the {number % 9}th garden, part {number}"
                entry = replace(entry, title=title)
            self._recent = [*self._recent[-999:], entry]
        return entry

    def _retold(self, entry: Entry, story: Entry, kind: float) -> Entry:
        if kind < 0.1:
            return replace(entry, canonical_url=story.canonical_url)
        summary = story.summary[: self._chance.randrange(150, 280)]
        title = story.title if kind < 0.2 else f"{story.title} {entry.title.split()[0]}"
        return replace(entry, title=title, summary=summary)


def _words(text: str) -> list[str]:
    """Return the words of a text; of unspaced text, pieces of three characters."""
    return [
        piece
        for word in text.split()
        for piece in (re.findall(".{1,3}", word) if word[0] > "\u3040" else [word])
    ]


def of_corpus(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                read = document.parse(path.read_bytes(), content_type="", url="https://c.example/")
            except document.NotAFeed:
                continue
            for parsed in read.entries:
                yield cleaning.clean(parsed, base="https://c.example/", now=START)


def show_figures() -> None:
    found = labelled.figures()
    print(
        f"labelled pairs: {found.same} the same, {found.pairs - found.same} not;"
        f" precision {found.precision:.3f}, recall {found.recall:.3f}"
    )


def measure(count: int, corpus: Path | None) -> None:
    costs: list[float] = []
    joined = 0
    newsroom, real = Newsroom(), of_corpus(corpus) if corpus else iter(())
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/stories.db")
        named = [Source(id=f"f{n}", url=f"https://f{n}.example/") for n in range(SOURCES)]
        with store.transaction() as db:
            sync.apply(db, named, now=START, first_polls={})
        for first in range(0, count, BATCH):
            now = START + timedelta(days=first / PER_DAY)
            with store.transaction() as db:
                new = []
                for number in range(first, first + BATCH):
                    entry = next(real, None) or newsroom.entry(number, now)
                    new.append(_insert(db, number, entry, now))
                begun = time.process_time()
                joined += storylines.follow(db, new, now)
                costs.append((time.process_time() - begun) / BATCH)
                if first % PER_DAY == 0:
                    stories.forget(db, now.toordinal())
        store.close()
    part = min(10_000 // BATCH, len(costs) // 2)
    second, last = (statistics.median(some) for some in (costs[part : 2 * part], costs[-part:]))
    print(
        f"{count:,} entries, {joined:,} of them joined a story: median"
        f" {statistics.median(costs) * 1000:.2f} ms CPU each; the last 10,000 cost"
        f" {last / second:.2f} times the second 10,000"
    )


def _insert(db: Connection, number: int, entry: Entry, now: datetime) -> int:
    fresh = entries.NewEntry(entry=entry, uri=f"urn:entry:{number}", sort_at=now)
    source = f"f{number * 7919 % SOURCES}"
    [entry_id] = entries.insert(db, source, [fresh], first_seen=now, sections=())
    return entry_id


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    show_figures()
    measure(arguments.entries, arguments.corpus)


if __name__ == "__main__":
    main()
