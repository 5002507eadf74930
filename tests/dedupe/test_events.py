"""Precision and recall on the labelled events, and the model that decides most of them."""

from dataclasses import replace
from functools import cache

import pytest

from aggregator.dedupe import facts, rewrites, weights
from aggregator.dedupe.lexicon import LANGUAGES
from benchmarks import fit_stories
from tests.dedupe import events


@cache
def judged() -> list[tuple[events.Labelled, bool]]:
    return [(pair, events.is_joined(pair)) for pair in events.pairs()]


def test_precision_and_recall_of_all_events() -> None:
    wrong = [(p.kind, p.first.event, p.second.event) for p, s in judged() if s and p.kind != "same"]
    told = events.rates(judged())
    assert told.same == 414
    assert told.precision >= 0.96, wrong
    assert told.recall >= 0.65


def test_events_held_out_of_the_fit() -> None:
    held_out = [one for one in judged() if fit_stories.is_held_out(one[0].first.event)]
    told = events.rates(held_out)
    assert told.same >= 70
    assert told.precision >= 0.93
    assert told.recall >= 0.6


def test_short_reports() -> None:
    told = events.rates(one for one in judged() if "short" in one[0].first.event)
    assert told.same == 72
    assert told.precision >= 0.9
    assert told.recall >= 0.45


@pytest.mark.parametrize("language", LANGUAGES)
def test_recall_of_a_language(language: str) -> None:
    told = events.rates(one for one in judged() if one[0].language == language)
    assert told.same >= 40
    assert told.recall >= 0.4


@pytest.mark.parametrize("kind", ["correction", "other-company", "same-form", "other-version"])
def test_no_trap_of_a_kind_joins(kind: str) -> None:
    found = [said for pair, said in judged() if pair.kind == kind]
    assert len(found) >= 30
    assert not any(found)


@pytest.mark.parametrize(
    "kind",
    [
        "follow-up",
        "opinion",
        "opposite",
        "other-edition",
        "other-period",
        "other-person",
        "other-place",
        "preview-result",
    ],
)
def test_few_traps_of_a_kind_join(kind: str) -> None:
    found = [said for pair, said in judged() if pair.kind == kind]
    assert len(found) >= 30
    assert sum(found) <= 0.05 * len(found)


def test_two_features_of_one_pair_are_the_same_in_either_order() -> None:
    for pair, _ in judged()[:300]:
        one, other = (
            facts.read(each.story.title, each.story.lead) for each in (pair.first, pair.second)
        )
        assert one is not None
        assert other is not None
        there = rewrites.features(one, other, 0.1)
        assert there == pytest.approx(rewrites.features(other, one, 0.1))


REPORT = facts.read(
    "Blaze destroys old theatre in Hollin",
    "The fire in Hollin on Tuesday night gutted the Meridian, and 140 people were led out.",
)


def test_each_feature_has_a_weight() -> None:
    assert REPORT is not None
    assert list(weights.WEIGHTS) == list(rewrites.features(REPORT, REPORT, 0.0))


@pytest.mark.parametrize(
    ("words", "phrases"), [(10, 0.0), (21, 0.0), (24, 0.2), (27, 0.0), (90, 0.0), (10, 0.25)]
)
def test_pairs_join_from_the_threshold(
    words: int, phrases: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert REPORT is not None
    report = replace(REPORT, length=words)
    odds = rewrites.log_odds(rewrites.features(report, report, phrases))
    bias = weights.BIAS + rewrites.threshold(words, phrases) - odds
    monkeypatch.setattr(rewrites, "BIAS", bias + 1e-6)
    assert rewrites.similarity(report, report, phrases) > 0.5
    monkeypatch.setattr(rewrites, "BIAS", bias - 1e-3)
    assert rewrites.similarity(report, report, phrases) == 0.0


def test_threshold_rises_with_the_length_of_the_opening_text() -> None:
    found = [rewrites.threshold(words, 0.0) for words in (10, 21, 24, 27, 90)]
    short, long = rewrites.THRESHOLD_SHORT, rewrites.THRESHOLD_LONG
    assert found == pytest.approx([short, short, (short + long) / 2, long, long])


def test_phrases_of_a_form_need_as_much_as_long_texts() -> None:
    assert rewrites.threshold(10, 0.24) == rewrites.THRESHOLD_SHORT
    assert rewrites.threshold(10, 0.25) == rewrites.THRESHOLD_LONG
