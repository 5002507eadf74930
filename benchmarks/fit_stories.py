"""Fit the weights by which reports in other words are joined, and measure them.

    python -m benchmarks.fit_stories [--write]

A logistic model is fitted by Newton's method to the labelled events and stories of tests/dedupe:
pairs that the index finds, that no guard keeps apart and that share no long text. Features are
standardised and weights kept small (`RIDGE`), so that none fits the peculiarities of few pairs.

Precision and recall are measured cross-fitted: each tenth of the events is judged by weights fitted
to the other nine. `--write` fits all of them and writes aggregator/dedupe/weights.py. The time
between two reports is no feature: it would tell how the set was written, not how news is.
"""

import argparse
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aggregator.dedupe import clustering, facts, rewrites
from aggregator.dedupe.clustering import SOME_TEXT, StoryInput
from aggregator.dedupe.lexicon import LANGUAGES
from tests.dedupe import events, labelled

RIDGE, PARTS, ROUNDS = 2.0, 10, 12
WEIGHTS_FILE = Path(__file__).parents[1] / "aggregator" / "dedupe" / "weights.py"


@dataclass(frozen=True, slots=True)
class Example:
    """A pair that the model decides.

    Args:
        parts: The tenths of the set that its reports belong to.
        pair: Its place among the labelled events, None for a pair of the labelled stories.
    """

    row: list[float]
    same: bool
    parts: frozenset[int]
    pair: events.Labelled | None


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the features, after one weight for each language."""

    weights: list[float]

    def odds(self, row: Sequence[float]) -> float:
        """Return the logarithm of the odds that a pair is of one event."""
        return math.fsum(w * x for w, x in zip(self.weights, row, strict=True))


def names() -> list[str]:
    """Return the names of the features."""
    nothing = facts.read("", "the and of to")
    assert nothing is not None
    return list(rewrites.features(nothing, nothing, 0.0))


def example(first: StoryInput, second: StoryInput) -> list[float] | None:
    """Return the features of a pair, None if the model doesn't decide it."""
    ours, theirs = clustering.keys(second), clustering.keys(first)
    near = clustering.nearest(ours, {key: [first.id] for key in (*theirs.near, *theirs.rare)})
    one, other = clustering._facts(first), clustering._facts(second)
    phrases = clustering._Pair(first, second).text
    is_far = abs(first.at - second.at) > clustering.WINDOW
    if not near or is_far or one is None or other is None or phrases >= SOME_TEXT:
        return None
    if rewrites.guard(one, other):
        return None
    of_language = [float(one.language == language) for language in LANGUAGES]
    return [*of_language, *rewrites.features(one, other, phrases).values()]


def part(event: str) -> int:
    return zlib.crc32(event.encode()) % PARTS


def examples(pairs: list[events.Labelled]) -> list[Example]:
    """Return the pairs of the labelled events and stories that the model decides."""
    found = []
    for pair in pairs:
        if row := example(pair.first.story, pair.second.story):
            parts = frozenset({part(pair.first.event), part(pair.second.event)})
            found.append(Example(row, pair.kind == "same", parts, pair))
    for told in labelled.pairs():
        if row := example(told.first, told.second):
            found.append(Example(row, told.same, frozenset({part(told.first.title)}), None))
    return found


def fit(some: Sequence[Example]) -> Model:
    """Return the weights that make the labels most likely, by Newton's method."""
    size, first = len(some[0].row), len(LANGUAGES)
    columns = list(zip(*(one.row for one in some), strict=True))
    means = [0.0] * first + [math.fsum(c) / len(c) for c in columns[first:]]
    scales = [1.0] * first + [
        max(1e-6, (math.fsum((x - mean) ** 2 for x in c) / len(c)) ** 0.5)
        for c, mean in zip(columns[first:], means[first:], strict=True)
    ]
    rows = [[(x - m) / s for x, m, s in zip(one.row, means, scales, strict=True)] for one in some]
    weights = [0.0] * size
    for _ in range(ROUNDS):
        gradient = [RIDGE * w for w in weights]
        curvature = [[RIDGE * (i == j) for j in range(size)] for i in range(size)]
        for one, row in zip(some, rows, strict=True):
            odds = math.fsum(w * x for w, x in zip(weights, row, strict=True))
            likely = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
            for i, x in enumerate(row):
                if x:
                    gradient[i] += (likely - one.same) * x
                    scaled = likely * (1 - likely) * x
                    line = curvature[i]
                    for j in range(i + 1):
                        line[j] += scaled * row[j]
        for i in range(size):
            for j in range(i):
                curvature[j][i] = curvature[i][j]
        step = solve(curvature, gradient)
        weights = [w - s for w, s in zip(weights, step, strict=True)]
    plain = [w / s for w, s in zip(weights, scales, strict=True)]
    moved = math.fsum(w * m for w, m in zip(plain, means, strict=True))
    return Model([*(w - moved for w in plain[:first]), *plain[first:]])


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


def show(pairs: list[events.Labelled], some: list[Example]) -> None:
    """Print the cross-fitted figures at several thresholds."""
    odds: dict[int, float] = {}
    for number in range(PARTS):
        model = fit([one for one in some if number not in one.parts])
        for one in some:
            if one.pair is not None and part(one.pair.event) == number:
                odds[id(one.pair)] = model.odds(one.row)
    rules = {id(pair): events.is_joined(pair, without_rewrites=True) for pair in pairs}
    print("threshold  recall  precision  wrong  recall of the weakest language")
    for threshold in (1.0, 1.25, 1.5, 1.75, rewrites.THRESHOLD, 2.0, 2.25, 2.5, 3.0):
        judged = [(p, rules[id(p)] or odds.get(id(p), -99.0) >= threshold) for p in pairs]
        told = events.rates(judged)
        weakest = min(
            (events.rates(j for j in judged if j[0].language == name).recall, name)
            for name in LANGUAGES
        )
        print(
            f"{threshold:9.2f}  {told.recall:6.3f}  {told.precision:9.3f}  {told.wrong:5}"
            f"  {weakest[0]:.3f} ({weakest[1]})"
        )


def show_stored(pairs: list[events.Labelled]) -> None:
    """Print precision and recall of the stored weights, and wrong joins by kind of trap."""
    judged = [(pair, events.is_joined(pair)) for pair in pairs]
    print("language  same  recall  precision  wrong")
    for language in ("all", *LANGUAGES):
        told = events.rates(one for one in judged if language in ("all", one[0].language))
        print(
            f"{language:8}  {told.same:4}  {told.recall:6.3f}  {told.precision:9.3f}"
            f"  {told.wrong:5}"
        )
    print("\nkind            pairs  joined")
    for kind in sorted({pair.kind for pair, _ in judged} - {"same"}):
        of_kind = [said for pair, said in judged if pair.kind == kind]
        print(f"{kind:15} {len(of_kind):6} {sum(of_kind):7}")


def write(model: Model) -> None:
    """Write the weights as a module."""
    rounded = [f"{weight:.4f}" for weight in model.weights]
    languages = list(zip(LANGUAGES, rounded, strict=False))
    weights = list(zip(names(), rounded[len(LANGUAGES) :], strict=True))
    parts = [
        '"""Weights of `rewrites.features`, as `python -m benchmarks.fit_stories --write` fits'
    ]
    parts += ['them."""', "", "from collections.abc import Mapping", ""]
    for name, rows in (("BIAS", languages), ("WEIGHTS", weights)):
        parts += [f"{name}: Mapping[str, float] = {{"]
        parts += [f'    "{key}": {value},' for key, value in rows]
        parts += ["}", ""]
    WEIGHTS_FILE.write_text("\n".join(parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights of all events")
    args = parser.parse_args()
    pairs = events.pairs()
    some = examples(pairs)
    print(f"{len(some)} pairs, {sum(one.same for one in some)} of one event")
    if args.write:
        write(fit(some))
    else:
        show_stored(pairs)
        show(pairs, some)


if __name__ == "__main__":
    main()
