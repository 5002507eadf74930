"""Fit the weights by which reports in other words are joined, and measure them.

    python -m benchmarks.fit_stories [--write]

A logistic model is fitted by Newton's method to the labelled events and stories of tests/dedupe:
pairs that the index finds, that no guard keeps apart and that share few phrases. Long opening
texts are read three times, twice cut, so that the weights hold for feeds with short ones too.
Features are standardised and weights kept small (`RIDGE`), so that none fits the peculiarities of
few pairs.

A fifth of the events (`is_held_out`, by their names) is never fitted and no feature was chosen by
it; its figures are shown apart. On the others precision and recall are measured cross-fitted: each
fifth is judged by weights fitted to the other four. `--write` fits all but the events held out, and
writes aggregator/dedupe/weights.py. The time between two reports is no feature: it would tell how
the set was written, not how news is.
"""

import argparse
import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aggregator.dedupe import clustering, facts, rewrites
from aggregator.dedupe.clustering import StoryInput
from aggregator.dedupe.lexicon import LANGUAGES
from tests.dedupe import events, labelled

RIDGE, PARTS, ROUNDS = 20.0, 5, 8
LENGTHS = (0, 25, 18)
"""Words to which opening texts are cut; 0: not at all."""

WEIGHTS_FILE = Path(__file__).parents[1] / "aggregator" / "dedupe" / "weights.py"


@dataclass(frozen=True, slots=True)
class Example:
    """A pair that the model decides.

    Args:
        parts: The parts of the set that its reports belong to.
        pair: Its place among the labelled events, None for a pair of the labelled stories or of
            opening texts that are cut.
        least: Log odds from which it is of one event.
        is_fitted: Whether the weights are fitted to it: not to texts that share many phrases.
    """

    row: list[float]
    same: bool
    weight: float
    parts: frozenset[int]
    pair: events.Labelled | None
    least: float
    is_fitted: bool


@dataclass(frozen=True, slots=True)
class Model:
    """The bias, and weights of the features."""

    bias: float
    weights: list[float]

    def odds(self, row: Sequence[float]) -> float:
        """Return the logarithm of the odds that a pair is of one event."""
        return self.bias + math.fsum(w * x for w, x in zip(self.weights, row, strict=True))


def names() -> list[str]:
    """Return the names of the features."""
    nothing = facts.read("", "the and of to")
    assert nothing is not None
    return list(rewrites.features(nothing, nothing, 0.0))


def cut(story: StoryInput, words: int) -> StoryInput:
    """Return a report with so many words of its opening text."""
    lead = clustering._without_dateline(story.lead)
    if re.search("[\u3040-\u30ff\u3400-\u9fff]", lead):
        return replace(story, lead=lead[: 2 * words])
    return replace(story, lead=" ".join(lead.split()[:words]))


def example(first: StoryInput, second: StoryInput) -> tuple[list[float], float, bool] | None:
    """Return what the model decides a pair by, None if another rule does.

    The features, the log odds that are enough, and whether the weights are fitted to it.
    """
    ours, theirs = clustering.keys(second), clustering.keys(first)
    near = clustering.nearest(ours, {key: [first.id] for key in (*theirs.near, *theirs.rare)})
    pair = clustering._Pair(clustering._text_of(first), clustering._text_of(second))
    one, other = pair.facts
    is_far = abs(first.at - second.at) > clustering.WINDOW
    if not near or is_far or one is None or other is None:
        return None
    is_copied = pair.text >= rewrites.FORM
    is_kept_apart = pair.has_column_title(reused=False) or pair.has_form_title()
    if is_kept_apart or (is_copied and pair.is_series()) or rewrites.guard(one, other):
        return None
    row = list(rewrites.features(one, other, pair.text).values())
    return row, rewrites.threshold(min(one.length, other.length), pair.text), not is_copied


def part(event: str) -> int:
    return zlib.crc32(event.encode()) % PARTS


def is_held_out(event: str) -> bool:
    """Whether an event is never fitted."""
    return zlib.crc32(f"holdout {event}".encode()) % 5 == 0


def examples(pairs: list[events.Labelled]) -> list[Example]:
    """Return the pairs of the labelled events and stories that the model decides."""
    found = []
    for pair in pairs:
        lengths = (0,) if "short" in pair.first.event + pair.second.event else LENGTHS
        parts = frozenset({part(pair.first.event), part(pair.second.event)})
        for words in lengths:
            first, second = pair.first.story, pair.second.story
            if words:
                first, second = cut(first, words), cut(second, words)
            if decided := example(first, second):
                row, least, is_fitted = decided
                place = None if words else pair
                is_same, weight = pair.kind == "same", 1 / len(lengths)
                found.append(Example(row, is_same, weight, parts, place, least, is_fitted))
    for told in labelled.pairs():
        if decided := example(told.first, told.second):
            row, least, is_fitted = decided
            parts = frozenset({part(told.first.title)})
            found.append(Example(row, told.same, 1.0, parts, None, least, is_fitted))
    return found


def fit(some: Sequence[Example]) -> Model:
    """Return the weights that make the labels most likely, by Newton's method."""
    columns = list(zip(*(one.row for one in some), strict=True))
    means = [math.fsum(c) / len(c) for c in columns]
    scales = [
        max(1e-6, (math.fsum((x - mean) ** 2 for x in c) / len(c)) ** 0.5)
        for c, mean in zip(columns, means, strict=True)
    ]
    rows = [
        [1.0, *((x - m) / s for x, m, s in zip(one.row, means, scales, strict=True))]
        for one in some
    ]
    size = len(rows[0])
    ridge = [0.0, *[RIDGE] * (size - 1)]
    weights = [0.0] * size
    for _ in range(ROUNDS):
        gradient = [r * w for r, w in zip(ridge, weights, strict=True)]
        curvature = [[ridge[i] * (i == j) for j in range(size)] for i in range(size)]
        for one, row in zip(some, rows, strict=True):
            odds = math.fsum(w * x for w, x in zip(weights, row, strict=True))
            likely = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
            for i, x in enumerate(row):
                if x:
                    gradient[i] += one.weight * (likely - one.same) * x
                    scaled = one.weight * likely * (1 - likely) * x
                    line = curvature[i]
                    for j in range(i + 1):
                        line[j] += scaled * row[j]
        for i in range(size):
            for j in range(i):
                curvature[j][i] = curvature[i][j]
        step = solve(curvature, gradient)
        weights = [w - s for w, s in zip(weights, step, strict=True)]
    plain = [w / s for w, s in zip(weights[1:], scales, strict=True)]
    moved = math.fsum(w * m for w, m in zip(plain, means, strict=True))
    return Model(weights[0] - moved, plain)


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a positive definite system by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i, pivot in enumerate(rows):
        for row in rows[i + 1 :]:
            factor = row[i] / pivot[i]
            for j in range(i, len(row)):
                row[j] -= factor * pivot[j]
    found = [0.0] * len(rows)
    for i in reversed(range(len(rows))):
        known = math.fsum(rows[i][j] * found[j] for j in range(i + 1, len(rows)))
        found[i] = (rows[i][-1] - known) / rows[i][i]
    return found


Joined = list[tuple[events.Labelled, bool]]


def show(pairs: list[events.Labelled], some: list[Example]) -> None:
    """Print the cross-fitted figures at several thresholds."""
    margins: dict[int, float] = {}
    for number in range(PARTS):
        model = fit([one for one in some if one.is_fitted and number not in one.parts])
        for one in some:
            if one.pair is not None and part(one.pair.first.event) == number:
                margins[id(one.pair)] = model.odds(one.row) - one.least
    rules = {id(pair): events.is_joined(pair, without_rewrites=True) for pair in pairs}

    def judged(more: float) -> Joined:
        return [(p, rules[id(p)] or margins.get(id(p), -99.0) >= more) for p in pairs]

    print("\ncross-fitted\nthreshold  recall  precision  wrong  recall of the weakest language")
    for more in (-0.5, -0.25, 0.0, 0.25, 0.5, 1.0):
        told = events.rates(judged(more))
        weakest = min(
            (events.rates(j for j in judged(more) if j[0].language == name).recall, name)
            for name in LANGUAGES
        )
        print(
            f"{more:+9.2f}  {told.recall:6.3f}  {told.precision:9.3f}  {told.wrong:5}"
            f"  {weakest[0]:.3f} ({weakest[1]})"
        )
    show_parts(judged(0.0))


def show_parts(judged: Joined) -> None:
    """Print precision and recall by language and length, and wrong joins by kind of trap."""
    groups: list[tuple[str, Callable[[events.Labelled], bool]]] = [
        ("all", lambda pair: True),
        *((name, lambda pair, name=name: pair.language == name) for name in LANGUAGES),
        ("short", lambda pair: "short" in pair.first.event),
        ("long", lambda pair: "short" not in pair.first.event),
    ]
    print("language  same  recall  precision  wrong")
    for name, belongs in groups:
        told = events.rates(one for one in judged if belongs(one[0]))
        print(f"{name:8}  {told.same:4}  {told.recall:6.3f}  {told.precision:9.3f}  {told.wrong:5}")
    traps = []
    for kind in sorted({pair.kind for pair, _ in judged} - {"same"}):
        of_kind = [said for pair, said in judged if pair.kind == kind]
        traps.append(f"{kind} {sum(of_kind)}/{len(of_kind)}")
    print("traps joined: " + ", ".join(traps))


def write(model: Model) -> None:
    """Write the weights as a module."""
    parts = ['"""Weights of `rewrites.features`; `benchmarks.fit_stories --write` fits them."""']
    parts += ["", "from collections.abc import Mapping", "", f"BIAS = {model.bias:.4f}", ""]
    parts += ["WEIGHTS: Mapping[str, float] = {"]
    parts += [f'    "{n}": {w:.4f},' for n, w in zip(names(), model.weights, strict=True)]
    WEIGHTS_FILE.write_text("\n".join([*parts, "}", ""]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights")
    args = parser.parse_args()
    pairs = events.pairs()
    known = [p for p in pairs if not (is_held_out(p.first.event) or is_held_out(p.second.event))]
    some = examples(known)
    print(f"{len(some)} pairs, {sum(one.same for one in some)} of one event")
    if args.write:
        write(fit([one for one in some if one.is_fitted]))
        return
    show(known, some)
    print("\nheld out, with the stored weights")
    ids = set(map(id, known))
    show_parts([(pair, events.is_joined(pair)) for pair in pairs if id(pair) not in ids])


if __name__ == "__main__":
    main()
