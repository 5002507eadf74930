"""Reports of one event in other words: one pair of each language, and each guard and threshold."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.dedupe import clustering, facts, lexicon, rewrites, weights
from aggregator.dedupe.clustering import StoryInput
from aggregator.dedupe.facts import Facts
from aggregator.models import evidence
from tests.dedupe import labelled
from tests.dedupe.labelled import NOON

Report = tuple[str, str]

FIRE: Report = (
    "Blaze destroys old theatre in Hollin",
    "A fire gutted the Meridian theatre in Hollin on Tuesday night. 140 people were brought out of"
    " the building, the fire brigade said.",
)
FLAMES: Report = (
    "Meridian theatre in Hollin burns down",
    "Flames swept through the stage of the Meridian on Tuesday evening. All 140 visitors of the old"
    " theatre in Hollin escaped the fire unhurt, the brigade said.",
)


def report(number: int, told: Report, hours: float = 0) -> StoryInput:
    title, lead = told
    at = NOON + timedelta(hours=hours)
    return StoryInput(id=number, source_id=f"source{number}", title=title, lead=lead, at=at)


def reason(one: Report, other: Report, hours: float = 1) -> str:
    """Return why the two are one story, found through the index; "" when they aren't."""
    join = labelled.judge(report(1, one), report(2, other, hours))
    return join.reason if join else ""


def read(told: Report) -> Facts:
    found = facts.read(*told)
    assert found is not None
    return found


def test_reports_in_other_words_are_one_story_and_say_why() -> None:
    assert reason(FIRE, FLAMES) == reason(FLAMES, FIRE) == clustering.OTHER_WORDS
    there, back = (
        clustering.evidence(report(1, one), report(2, other), clustering.OTHER_WORDS)
        for one, other in ((FIRE, FLAMES), (FLAMES, FIRE))
    )
    assert there == back
    assert there.names == ("Hollin", "Meridian")
    assert there.figures == ("140",)
    assert there.score is not None
    assert there.needed is not None
    assert there.score >= there.needed
    said = evidence.sentences(there)
    assert said[:2] == ["both name Hollin, Meridian", "both give 140"]
    assert said[2].startswith(f"score {there.score:.2f}, from {there.needed:.2f}")
    assert said[-1].startswith("as a preview, an opinion or a correction")


def test_evidence_is_decisive_if_the_score_is_too_low_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = read(FIRE), read(FLAMES)
    assert rewrites.evidence(one, other, 0.0, is_scored=False).decisive == ()
    monkeypatch.setattr(rewrites, "BIAS", weights.BIAS + 100)
    assert rewrites.evidence(one, other, 0.0, is_scored=True).decisive == ()
    monkeypatch.setattr(rewrites, "BIAS", weights.BIAS)
    odds = rewrites.log_odds(rewrites.features(one, other, 0.0))
    least = rewrites.threshold(min(one.length, other.length), 0.0)
    monkeypatch.setattr(rewrites, "BIAS", weights.BIAS + least - odds)
    found = rewrites.evidence(one, other, 0.0, is_scored=True)
    assert set(found.decisive) == set(rewrites.SUPPORT)


def test_evidence_names_phrases_of_both_texts_as_the_first_writes_them() -> None:
    copy = ("Meridian burns", f"HOLLIN (NNA) - {FIRE[1].replace('gutted', 'Gutted')}")
    found = clustering.evidence(report(2, copy), report(1, FIRE), "same title")
    assert found.phrases[0].startswith("A fire gutted the Meridian theatre in Hollin")
    assert found.score is None
    assert evidence.sentences(found)[-1].startswith("both say “A fire gutted")
    assert clustering.evidence(report(1, FLAMES), report(2, FIRE), "same title").phrases == ()


def test_evidence_survives_storage() -> None:
    found = clustering.evidence(report(1, FIRE), report(2, FLAMES), clustering.OTHER_WORDS)
    assert evidence.from_json(evidence.to_json(found)) == found
    assert evidence.to_json(None) == evidence.to_json(evidence.NONE) == ""
    assert evidence.from_json("") is None


def test_reports_days_apart_are_not() -> None:
    assert reason(FIRE, FLAMES, hours=72)
    assert reason(FIRE, FLAMES, hours=72.1) == ""


TRAPS = {
    "another place": (
        "Blaze destroys old theatre in Tarn",
        "A blaze gutted the Alhambra in Tarn. Some 140 visitors of the playhouse escaped unhurt,"
        " firefighters told reporters.",
    ),
    "comment": ("Opinion: why the Meridian had to burn", FLAMES[1]),
    "review": ("Review: a last evening at the Meridian in Hollin", FLAMES[1]),
    "correction": ("Correction: Meridian theatre in Hollin", FLAMES[1]),
    "what is to come": ("Hollin prepares to rebuild the Meridian", FLAMES[1]),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap(trap: str) -> None:
    assert reason(FIRE, TRAPS[trap]) == ""


def test_opposite_outcomes_are_apart() -> None:
    lead = "The council of Brannock and Mayor Odile Tarran argued over the harbour for nine hours."
    other = "After nine hours Odile Tarran and her harbour had their answer in Brannock's old hall."
    yes, no = "Brannock approves Tarran harbour", "Brannock rejects Tarran harbour"
    assert rewrites.guard(read((yes, lead)), read((no, other))).startswith("opposite outcomes")
    assert rewrites.guard(read((yes, lead)), read((yes, other))) == ""


def test_other_version_beside_a_shared_name_is_apart() -> None:
    one, other = read(("Kestrel 4.1 is out", FIRE[1])), read(("Kestrel 4.2 is out", FIRE[1]))
    assert rewrites.guard(one, other) == "another number beside kestre"


def test_short_opening_texts_are_not_compared() -> None:
    one, other = read(FIRE), read(FLAMES)
    assert rewrites.similarity(replace(one, length=10), other, 0.0) > 0
    assert rewrites.similarity(replace(one, length=9), other, 0.0) == 0.0


def test_languages_are_not_mixed() -> None:
    assert rewrites.similarity(replace(read(FIRE), language="de"), read(FLAMES), 0.0) == 0.0


def test_titles_that_seem_to_be_in_two_languages_are_compared() -> None:
    title = "péniches en béton de 1917 - Aquanaux, Saint-Merid"
    one, other = (f"Photos of {title}", "Introduction"), (title, "Introduction")
    assert read(one).language != read(other).language
    assert reason(one, other) == reason(other, one) == "similar title and opening text"


def test_form_filled_in_twice_is_not_told_in_other_words() -> None:
    """A phrase of three words in a text of ten, but other facts."""
    form = "The Meridian in Hollin shows {} on {} evening at eight, doors open at seven, {} seats"
    one = ("Hollin: fire dance at the Meridian", form.format("Sparks", "Monday", 140))
    other = ("Hollin: fire songs at the Meridian", form.format("Embers", "Sunday", 150))
    assert reason(one, other) == ""


POET: Report = (
    "Poet laureate Hanna Reul dies aged 91",
    "Hanna Reul, for twenty years poet laureate of Velmark, has died at her home in Esk, her"
    " publisher said on Saturday. She was 91.",
)


@pytest.mark.parametrize(
    ("age", "home", "why"),
    [
        pytest.param("91", "Esk", clustering.OTHER_WORDS, id="all that it says is in the other"),
        pytest.param("87", "Tarn", "", id="facts that the other lacks"),
    ],
)
def test_phrases_in_common_may_be_of_one_event_or_of_a_form(age: str, home: str, why: str) -> None:
    title = f"Hanna Reul, Velmark's poet laureate for two decades, dead at {age}"
    lead = (
        f"Hanna Reul, poet laureate of Velmark for twenty years, has died at {age}. Her publisher"
        f" said on Saturday that she died at her home in {home}."
    )
    assert reason(POET, (title, lead)) == why


@pytest.mark.parametrize(
    ("title", "why"),
    [
        pytest.param("Hollin theatre fire", "", id="three words"),
        pytest.param("Hollin theatre fire tonight", "same title", id="four words"),
    ],
)
def test_short_title_of_both_is_that_of_a_column(title: str, why: str) -> None:
    assert reason((title, FIRE[1]), (title, FLAMES[1])) == why


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("It costs 1,200 dollars, or 8.2 billion in all", "en", [1200, 8.2e9]),
        ("Rund 1.200 Menschen und 5,4 Millionen Euro", "de", [1200, 5.4e6]),
        ("Сообщили, что погибли 14 и ранены пять тысяч", "ru", [14, 5000]),
        ("价格为3.2亿元，十四人受伤", "zh", [14, 3.2e8]),
    ],
)
def test_numbers_have_values(text: str, language: str, values: list[float]) -> None:
    found = read((text, ""))
    assert found.language == language
    assert [number.value for number in found.numbers] == pytest.approx(values)


def test_names_of_a_headline_in_capitals_come_from_the_text() -> None:
    found = read(("Old Theatre Burns Down Near Quiet River", FIRE[1]))
    assert "theatr" not in found.names
    assert "meridi" in found.names


@pytest.mark.parametrize("text", ["", "Il comune di Roma apre gli archivi", "한국어 뉴스"])
def test_text_of_no_known_language_has_no_facts(text: str) -> None:
    assert facts.read(text, "") is None
    assert clustering.keys(report(1, (text, ""))).rare == ()


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
def test_lexicon_knows_the_same_kinds_of_events_in_each_language(language: str) -> None:
    marks = lexicon.of(language)
    said = {m for found in (*marks.marks.values(), *marks.prefixes.values()) for m in found}
    kinds = {mark.removeprefix("kind:") for mark in said if mark.startswith("kind:")}
    assert kinds >= {kind for pair in lexicon.OPPOSITES for kind in pair} - {"charge"}
    assert {f"day:{number}" for number in range(7)} <= said
    assert "ahead" in said


def test_long_words_take_no_memory() -> None:
    """A feed may be made of them."""
    tracemalloc.start()
    try:
        for number in range(2_000):
            facts.word("en", f"{'x' * 500}{number}")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000
