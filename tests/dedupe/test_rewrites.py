"""Reports of one event in other words: one pair of each language, and each guard and threshold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.dedupe import clustering, facts, lexicon, rewrites
from aggregator.dedupe.clustering import StoryInput
from aggregator.dedupe.facts import Facts
from tests.dedupe import labelled
from tests.dedupe.labelled import NOON

Report = tuple[str, str]

FIRE: Report = (
    "Blaze destroys old theatre in Hollin",
    "A fire gutted the Meridian theatre in Hollin on Tuesday night. 140 people were brought out of"
    " the building, the fire brigade said.",
)
FLAMES: Report = (
    "Hollin mourns the Meridian",
    "Nothing but walls is left of the Meridian after flames swept through the stage. Some 140"
    " visitors of the Hollin playhouse escaped unhurt.",
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
    expected = "one event in other words: both name Hollin, Meridian, both give 140"
    assert reason(FIRE, FLAMES) == reason(FLAMES, FIRE) == expected


def test_reports_days_apart_are_not() -> None:
    assert reason(FIRE, FLAMES, hours=72)
    assert reason(FIRE, FLAMES, hours=72.1) == ""


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        (
            "de",
            (
                "Brand in der Papierfabrik von Ellerau",
                "In Ellerau brennt seit Mittwoch die Papierfabrik der Firma Tornow. 80 Menschen"
                " mussten ihre Wohnungen verlassen.",
            ),
            (
                "Tornow: Feuer zerstört Lager in Ellerau",
                "Dichter Rauch steht seit dem Mittag über Ellerau. Bei Tornow kämpft die Feuerwehr"
                " gegen Flammen, 80 Nachbarn schlafen in einer Turnhalle.",
            ),
        ),
        (
            "fr",
            (
                "Le maire de Brévanne démissionne",
                "Mis en cause dans une affaire de terrains, Luc Parmentier a quitté mardi la mairie"
                " de Brévanne, qu'il dirigeait depuis douze ans.",
            ),
            (
                "Affaire des terrains : Luc Parmentier s'en va",
                "L'élu de Brévanne a remis sa démission au préfet. Ses adversaires réclament de"
                " nouvelles élections avant l'été.",
            ),
        ),
        (
            "es",
            (
                "Un incendio arrasa el mercado de Villaclara",
                "El fuego destruyó el lunes el mercado de Santa Inés, en Villaclara, sin causar"
                " víctimas. Ardieron 60 puestos.",
            ),
            (
                "Villaclara pierde Santa Inés, su plaza centenaria",
                "Sesenta puestos quedaron en cenizas por las llamas, según los bomberos de"
                " Villaclara. El ayuntamiento promete levantar de nuevo Santa Inés.",
            ),
        ),
        (
            "ru",
            (
                "Пожар на складе «Вега» в Озерске: эвакуированы 200 человек",
                "В Озерске во вторник загорелся склад компании «Вега». Из соседних домов вывели 200"
                " человек, сообщили спасатели.",
            ),
            (
                "Огонь уничтожил склад «Веги»",
                "Тушить пламя в Озерске помогали три вертолёта. Компания «Вега» оценивает ущерб,"
                " 200 жителей вернулись домой.",
            ),
        ),
        (
            "ja",
            (
                "探査船「ミナモ」、アルタイ海溝で新種発見",
                "海洋機構は水曜日、探査船「ミナモ」がアルタイ海溝で新種の魚を発見したと発表した。",
            ),
            (
                "アルタイ海溝の底に未知の魚 「ミナモ」が発見",
                "水深八千メートルで撮影された。ミナモの船長は驚きの声をあげたと話している。",
            ),
        ),
    ],
)
def test_pair_of_a_language(language: str, one: Report, other: Report) -> None:
    assert read(one).language == read(other).language == language
    assert reason(one, other).startswith("one event in other words")


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
    "another day": (FLAMES[0], f"{FLAMES[1]} That was on Friday."),
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
    assert rewrites.similarity(replace(one, length=10), other) > 0
    assert rewrites.similarity(replace(one, length=9), other) == 0.0


def test_languages_are_not_mixed() -> None:
    assert rewrites.similarity(replace(read(FIRE), language="de"), read(FLAMES)) == 0.0


def test_reports_need_two_names_in_common() -> None:
    one, other = read(FIRE), read(FLAMES)
    named = frozenset({"hollin"})
    less = [replace(each, names=named) for each in (one, other)]
    assert rewrites.compare(*less).names == 1
    assert rewrites.similarity(*less) == 0.0


def test_form_filled_in_twice_is_not_told_in_other_words() -> None:
    """A phrase of three words in a text of ten, but other facts."""
    form = "The Meridian in Hollin shows {} on {} evening at eight, doors open at seven, {} seats"
    one = ("Hollin: fire dance at the Meridian", form.format("Sparks", "Monday", 140))
    other = ("Hollin: fire songs at the Meridian", form.format("Embers", "Sunday", 150))
    assert reason(one, other) == ""


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
