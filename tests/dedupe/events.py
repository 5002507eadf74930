"""The labelled events: two agencies' reports of one event each, and reports that look like it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from aggregator.dedupe import clustering
from aggregator.dedupe.clustering import StoryInput
from tests.dedupe.labelled import NOON, judge


@dataclass(frozen=True, slots=True)
class Report:
    """One report: of which event, by which agency."""

    event: str
    language: str
    role: str
    story: StoryInput


@dataclass(frozen=True, slots=True)
class Labelled:
    """Two reports, and what kind of pair they are: "same", a kind of trap, or "cross"."""

    kind: str
    first: Report
    second: Report

    @property
    def language(self) -> str:
        """The language of the first report."""
        return self.first.language

    @property
    def event(self) -> str:
        """The event of the first report."""
        return self.first.event


@dataclass(frozen=True, slots=True)
class Rates:
    """Pairs joined rightly and wrongly, and pairs of one event in all."""

    hits: int
    wrong: int
    same: int

    @property
    def precision(self) -> float:
        """Share of the joined pairs that are of one event."""
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs of one event that are joined."""
        return self.hits / self.same if self.same else 1.0


def events() -> Iterator[tuple[str, list[tuple[str, Report]]]]:
    """Yield each event with its reports: "a", "b" and traps by their kind."""
    number = 0
    for path in sorted(Path(__file__).parent.glob("events_*.yaml")):
        for event in yaml.safe_load(path.read_text(encoding="utf-8")):
            language = event.get("language") or path.stem.removeprefix("events_")
            told = [("a", event["a"], 0.0), ("b", event["b"], event["hours"])]
            told += [(trap["kind"], trap, trap["hours"]) for trap in event.get("traps", ())]
            reports = []
            for at, (role, fields, hours) in enumerate(told):
                number += 1
                story = _story(number, f"agency{at}", fields, hours)
                reports.append((role, Report(event["id"], language, role, story)))
            yield event["id"], reports


def _story(number: int, source: str, fields: dict[str, Any], hours: float) -> StoryInput:
    return StoryInput(
        id=number,
        source_id=source,
        title=fields["title"],
        lead=fields["lead"],
        at=NOON + timedelta(hours=hours),
    )


def pairs() -> list[Labelled]:
    """Return the pairs within events, and those across events that share keys of the index."""
    found, everything = [], []
    for _, reports in events():
        for (role, first), (other, second) in combinations(reports, 2):
            kind = "same" if (role, other) == ("a", "b") else other
            if role in ("a", "b"):
                found.append(Labelled(kind, first, second))
        everything += [report for _, report in reports]
    return [*found, *_across(everything)]


def _across(reports: list[Report]) -> Iterator[Labelled]:
    by_key: dict[int, list[int]] = {}
    for number, report in enumerate(reports):
        keys = clustering.keys(report.story)
        meeting = Counter(at for key in {*keys.near, *keys.rare} for at in by_key.get(key, ()))
        for at in meeting:
            first = reports[at]
            if first.event != report.event:
                yield Labelled("cross", first, report)
        for key in {*keys.near, *keys.rare}:
            by_key.setdefault(key, []).append(number)


def is_joined(pair: Labelled, *, without_rewrites: bool = False) -> bool:
    """Whether the later of two reports joins the story of the earlier one.

    Args:
        without_rewrites: By another rule than the one for other words.
    """
    first, second = sorted((pair.first.story, pair.second.story), key=lambda story: story.at)
    join = judge(first, second)
    if join is None:
        return False
    return not (without_rewrites and join.reason.startswith("one event in other words"))


def rates(judged: Iterable[tuple[Labelled, bool]]) -> Rates:
    """Count the decisions that are right and wrong."""
    judged = list(judged)
    return Rates(
        hits=sum(said and pair.kind == "same" for pair, said in judged),
        wrong=sum(said and pair.kind != "same" for pair, said in judged),
        same=sum(pair.kind == "same" for pair, _ in judged),
    )
