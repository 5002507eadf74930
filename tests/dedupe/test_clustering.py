"""Stories across sources: the labelled set, and one example of each rule."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import clustering, tokenizer
from aggregator.dedupe.clustering import Candidate, Join, StoryInput
from aggregator.demo import newsroom
from tests.dedupe import labelled
from tests.dedupe.labelled import NOON

PAIRS = tuple(labelled.pairs())
FERRY = StoryInput(
    id=1,
    source_id="herald",
    title="Ferry with 212 on board runs aground off Skerrow",
    lead="All passengers were taken off the ferry Lady Maud by lifeboats, the coast guard said.",
    at=NOON,
    page="https://herald.example/ferry",
)


def other(**fields: object) -> StoryInput:
    """Return the ferry's story as another source reports it."""
    other = {"id": 2, "source_id": "post", "page": "https://post.example/1", "lead": ""}
    return replace(FERRY, **other | fields)  # type: ignore[arg-type]  # fields of StoryInput


def decide(report: StoryInput, first: StoryInput = FERRY, **fields: object) -> Join | None:
    candidate = Candidate(story=first.id, first=first, sources=(first.source_id,))
    return clustering.decide(report, [replace(candidate, **fields)])  # type: ignore[arg-type]


def test_labelled_set_is_large_enough() -> None:
    assert sum(pair.same for pair in PAIRS) >= 60
    assert sum(not pair.same for pair in PAIRS) >= 120


def test_precision_and_recall_on_the_labelled_set() -> None:
    figures = labelled.figures()
    wrong = [(pair.first.title, pair.second.title) for pair in figures.wrong]
    missed = [(pair.first.title, pair.second.title) for pair in figures.missed]
    assert figures.precision == 1.0, wrong
    assert figures.recall >= 0.9, missed


def test_precision_and_recall_on_the_demo() -> None:
    """Templates filled in with few names and figures; a second feed rewords some reports."""
    said, told_twice = list[bool](), 0
    for seed in range(3):
        begun = NOON - timedelta(minutes=5)
        events = [
            (feed, report)
            for feed in newsroom.DESKS
            for report in newsroom.reports(
                feed, now=NOON, since=begun, every=timedelta(seconds=5), seed=seed
            )
        ]
        for (feed, one), (other_feed, other) in combinations(events, 2):
            if feed == other_feed:
                continue
            same = one.guid.partition(":")[2] == other.guid.partition(":")[2]
            told_twice += same
            if labelled.judge(demo_report(1, feed, one), demo_report(2, other_feed, other)):
                said.append(same)
    assert sum(said) >= 0.96 * len(said)
    assert sum(said) >= 0.75 * told_twice


def demo_report(number: int, feed: str, report: newsroom.Report) -> StoryInput:
    lead = f"{report.lead} {report.aside}"
    return StoryInput(
        id=number, source_id=feed, title=report.headline, lead=lead, at=report.published
    )


@given(st.sampled_from(PAIRS))
def test_decision_is_the_same_in_either_order(pair: labelled.Pair) -> None:
    there, back = labelled.judge(pair.first, pair.second), labelled.judge(pair.second, pair.first)
    assert (there is None) is (back is None)
    if there and back:
        assert (there.reason, there.similarity) == (back.reason, back.similarity)


@given(st.text(max_size=80), st.text(max_size=200))
def test_any_text_has_keys_and_a_decision(title: str, lead: str) -> None:
    report = other(title=title, lead=lead)
    found = clustering.keys(report)
    assert all(-(2**63) <= key < 2**63 for key in (found.page, found.title, *found.near))
    decide(report)


def test_equal_page_is_the_strongest_reason() -> None:
    assert decide(other(title="212 people, one rock"), same_page=True) == Join(
        story=1, reason="links to the same page", similarity=1.0
    )


def test_link_to_the_page_of_another_entry_needs_a_word_in_common() -> None:
    pills = other(title="Buy these pills today", lead="Cheap and in the mail by noon tomorrow")
    assert decide(pills, same_page=True) is None
    assert decide(other(title="", lead=""), same_page=True) is not None


def test_home_page_has_no_key() -> None:
    assert clustering.keys(other(page="https://post.example/")).page == 0
    assert clustering.keys(other(page="https://post.example/?p=1")).page != 0


def test_hint_needs_titles_that_agree() -> None:
    assert decide(other(title="Ferry with 212 on board aground"), hinted=True) is not None
    assert decide(other(title="Links for Monday"), hinted=True) is None


def test_long_title_is_enough_within_three_days() -> None:
    assert decide(other(title="FERRY with 212 on board runs aground off Skerrow!")) == Join(
        story=1, reason="same title", similarity=1.0
    )
    assert decide(other(at=NOON + timedelta(days=3))) is not None
    assert decide(other(at=NOON + timedelta(days=3, seconds=1))) is None
    assert decide(other(at=NOON - timedelta(days=4))) is None


def test_reused_title_is_no_evidence() -> None:
    assert decide(other(lead=FERRY.lead), reused_title=True) is not None
    first = replace(FERRY, title="Seven stories to read this morning before breakfast")
    assert decide(other(title=first.title, lead=""), first) is not None
    assert decide(other(title=first.title, lead=""), first, reused_title=True) is None
    lead = "Snow has closed the pass, schools stay open, and the theatre has found its singer."
    assert decide(other(title=first.title, lead=lead), first, reused_title=True) is None


def test_further_copies_of_a_text_are_decided_by_what_else_is_known_of_them() -> None:
    copy, late = other(lead=FERRY.lead), FERRY.at + clustering.WINDOW + timedelta(seconds=1)
    cases: list[tuple[StoryInput, dict[str, object], str]] = [
        (copy, {}, "same title"),
        (copy, {"same_page": True}, "links to the same page"),
        (copy, {"hinted": True}, "one cites the other"),
        (copy, {"reused_title": True}, "similar title and opening text"),
        (replace(copy, at=late), {}, ""),
        (replace(copy, at=late), {"hinted": True}, "one cites the other"),
    ]
    for report, fields, reason in [*cases, *cases]:
        joined = decide(report, FERRY, **fields)
        assert (joined.reason if joined else "").startswith(reason)
        assert bool(joined) == bool(reason)
        assert not joined or "212" in joined.evidence.figures


@pytest.mark.parametrize(
    ("lead", "reason"),
    [
        (" ".join(["with"] * 9 + ["passengers"]), "same title"),
        (" ".join(["with"] * 10), "similar title and opening text"),
        (" ".join(["with"] * 9), "same title"),
    ],
)
def test_long_lead_of_a_copy_says_something(lead: str, reason: str) -> None:
    joined = decide(other(lead=lead), replace(FERRY, lead=lead))
    assert joined is not None
    assert joined.reason == reason


WORDS = st.lists(st.sampled_from(["fire", "with", "7", "3-2", "against", "Hollin,", "火事だ", "“"]))


@given(WORDS, WORDS)
def test_copies_agree_in_all_that_other_entries_are_compared_by(
    title: list[str], lead: list[str]
) -> None:
    text = clustering._Text(" ".join(title), " ".join(lead))
    pair = clustering._Pair(text, text)
    if pair.is_copy() and pair.long:
        assert pair.subject == 1.0
        assert not pair.is_series()


@given(WORDS)
def test_phrases_of_a_copy_are_those_that_a_comparison_finds(words: list[str]) -> None:
    text = " ".join(words)[:300]
    assert clustering._common_phrases(text, text) == clustering._common_phrases(text, f"{text} ")


def test_story_has_one_entry_of_a_source() -> None:
    assert decide(other(source_id="herald"), same_page=True) is None
    assert decide(other(), sources=("herald", "post")) is None


def test_stronger_rule_wins_then_the_older_story() -> None:
    report = other(lead=FERRY.lead)
    older = Candidate(story=1, first=FERRY, sources=("herald",))
    newer = replace(older, story=9, same_page=True)
    joined = clustering.decide(report, [older, newer])
    assert joined is not None
    assert joined.story == 9
    joined = clustering.decide(report, [replace(newer, same_page=False), older])
    assert joined is not None
    assert joined.story == 1


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param(
            "The US and the EU",
            {"us", "eu"},
            id="acronyms are content words, function words are not",
        ),
        pytest.param("1,200 at 3:2 on 12/05", {"1200", "3-2", "12-05"}, id="figures are one word"),
        pytest.param("Ёлка и ёлки", {"елка", "елки"}, id="marks are folded"),
        pytest.param("第3回", {"第", "3", "回"}, id="a number splits unspaced text"),
        pytest.param("古い本屋", {"古い", "い本", "本屋"}, id="unspaced text is split into pairs"),
        pytest.param(
            "والمدينة مدينتها", {"مدين", "مدينت"}, id="Arabic prefixes and endings are removed"
        ),
        pytest.param("हिन्दी", {"हिन्दी"}, id="vowel signs are within words"),
    ],
)
def test_content_words(text: str, content: set[str]) -> None:
    assert tokenizer.tokenize(text).content == content


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("raises", "raised", True),
        ("cut", "cuts", True),
        ("Zielona", "Zielonej", True),
        ("Iran", "Irak", False),
        ("Austria", "Australia", False),
        ("northern", "southern", False),
        ("12", "13", False),
        ("12", "121", False),
    ],
)
def test_inflections(one: str, other: str, *, same: bool) -> None:
    missing = tokenizer.Stems([other.casefold()]).missing({one.casefold()})
    assert (not missing) is same
