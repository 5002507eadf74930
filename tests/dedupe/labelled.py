"""The hand-labelled set: reports in the YAML files of this folder, and their pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from aggregator.dedupe import clustering
from aggregator.dedupe.clustering import Candidate, Join, StoryInput

NOON = datetime(2009, 6, 27, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports of different sources, and whether they are one story."""

    file: str
    same: bool
    first: StoryInput
    second: StoryInput


@dataclass(frozen=True, slots=True)
class Figures:
    """How well the decisions agree with the labels."""

    pairs: int
    same: int
    precision: float
    recall: float
    wrong: tuple[Pair, ...]
    missed: tuple[Pair, ...]


def pairs() -> Iterator[Pair]:
    """Yield every pair of the set."""
    for path in sorted(Path(__file__).parent.glob("stories_*.yaml")):
        for group in yaml.safe_load(path.read_text()):
            [(label, told)] = group.items()
            reports = [_report(number, fields) for number, fields in enumerate(told)]
            for first, second in combinations(reports, 2):
                yield Pair(path.stem, label == "same", first, second)


def _report(number: int, fields: dict[str, Any]) -> StoryInput:
    return StoryInput(
        id=number + 1,
        source_id=f"source{number}",
        title=fields["title"],
        lead=fields["lead"],
        at=NOON + timedelta(hours=fields.get("hours", number)),
        page=fields.get("url", ""),
        hints=tuple(filter(None, [fields.get("via", "")])),
    )


def judge(first: StoryInput, second: StoryInput) -> Join | None:
    """Return whether the second joins the first, found through the index and not otherwise."""
    ours, theirs = clustering.keys(second), clustering.keys(first)
    same_page = bool(ours.page) and ours.page == theirs.page
    hinted = bool(set(ours.hint_lookups) & {*theirs.hints, theirs.page})
    near = clustering.nearest(ours, {key: [first.id] for key in (*theirs.near, *theirs.rare)})
    if not (same_page or hinted or near or (ours.title and ours.title == theirs.title)):
        return None
    candidate = Candidate(
        story=first.id, first=first, sources=(first.source_id,), same_page=same_page, hinted=hinted
    )
    return clustering.decide(second, [candidate])


def figures() -> Figures:
    """Return how well the decisions agree with the labels."""
    judged = [(pair, judge(pair.first, pair.second) is not None) for pair in pairs()]
    hits = sum(pair.same and said for pair, said in judged)
    wrong = tuple(pair for pair, said in judged if said and not pair.same)
    missed = tuple(pair for pair, said in judged if pair.same and not said)
    return Figures(
        pairs=len(judged),
        same=sum(pair.same for pair, _ in judged),
        precision=hits / (hits + len(wrong)),
        recall=hits / (hits + len(missed)),
        wrong=wrong,
        missed=missed,
    )
