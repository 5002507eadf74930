"""Precision and recall on the labelled events, and the model that decides most of them."""

from functools import cache

import pytest

from aggregator.dedupe import facts, rewrites, weights
from aggregator.dedupe.lexicon import LANGUAGES
from tests.dedupe import events


@cache
def judged() -> list[tuple[events.Labelled, bool]]:
    return [(pair, events.is_joined(pair)) for pair in events.pairs()]


def test_precision_and_recall_of_all_events() -> None:
    wrong = [(p.kind, p.first.event, p.second.event) for p, s in judged() if s and p.kind != "same"]
    told = events.rates(judged())
    assert told.same == 342
    assert told.precision >= 0.97, wrong
    assert told.recall >= 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_recall_of_a_language(language: str) -> None:
    told = events.rates(one for one in judged() if one[0].language == language)
    assert told.same >= 40
    assert told.recall >= 0.4


@pytest.mark.parametrize(
    "kind", ["correction", "follow-up", "opinion", "other-place", "same-form", "other-version"]
)
def test_no_trap_of_a_kind_joins(kind: str) -> None:
    found = [said for pair, said in judged() if pair.kind == kind]
    assert len(found) >= 30
    assert not any(found)


def test_two_features_of_one_pair_are_the_same_in_either_order() -> None:
    for pair, _ in judged()[:300]:
        one, other = (
            facts.read(each.story.title, each.story.lead) for each in (pair.first, pair.second)
        )
        assert one is not None
        assert other is not None
        there = rewrites.features(one, other, 0.1)
        assert there == pytest.approx(rewrites.features(other, one, 0.1))


def test_each_feature_and_language_has_a_weight() -> None:
    report = facts.read("Blaze destroys old theatre", "The blaze was in Hollin on Tuesday.")
    assert report is not None
    assert list(weights.WEIGHTS) == list(rewrites.features(report, report, 0.0))
    assert list(weights.BIAS) == list(LANGUAGES)


def test_pairs_join_from_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    lead = "The fire in Hollin on Tuesday night gutted the Meridian, and 140 people were led out."
    report = facts.read("Blaze destroys old theatre in Hollin", lead)
    assert report is not None
    odds = rewrites.log_odds(rewrites.features(report, report, 0.0), "en")
    monkeypatch.setattr(rewrites, "THRESHOLD", odds)
    assert rewrites.similarity(report, report, 0.0) > 0.5
    monkeypatch.setattr(rewrites, "THRESHOLD", odds + 0.001)
    assert rewrites.similarity(report, report, 0.0) == 0.0
