"""Each threshold of the story rules by a pair at it and a pair just below, in invented words.

The words have no capitals, no digits and no beginning in common, so that a title or a lead shares
with another exactly the words it is given.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.dedupe import clustering
from aggregator.dedupe.clustering import Candidate, Join, StoryInput
from tests.dedupe.labelled import NOON

PAGE, HINT, TITLE, TEXT, LIKENESS = (
    "links to the same page",
    "one cites the other as its source, and they agree",
    "same title",
    "nearly the same opening text",
    "similar title and opening text",
)


def words(*numbers: int | Iterable[int]) -> str:
    """Return invented words, one for each number."""
    flat = [n for part in numbers for n in ([part] if isinstance(part, int) else part)]
    return " ".join(f"{chr(97 + n // 20)}{chr(97 + n % 20)}xyz" for n in flat)


def mixed(shared: int, total: int, start: int) -> str:
    """Return a lead that shares single words with other leads of this kind, and no phrase."""
    own = iter(range(start, start + total))
    return words(n // 2 if n % 2 == 0 and n < 2 * shared else next(own) for n in range(total))


def first(title: str, lead: str = "") -> StoryInput:
    return StoryInput(id=1, source_id="herald", title=title, lead=lead, at=NOON)


def second(title: str, lead: str = "", hours: float = 0) -> StoryInput:
    at = NOON + timedelta(hours=hours)
    return StoryInput(id=2, source_id="post", title=title, lead=lead, at=at)


def joined(one: StoryInput, other: StoryInput, **fields: bool) -> str:
    """Return the reason why the two are one story, either way round; "" when they aren't."""
    reasons = set()
    for early, late in ((one, other), (other, one)):
        candidate = Candidate(story=early.id, first=early, sources=(early.source_id,), **fields)
        join = clustering.decide(late, [candidate])
        reasons.add(join.reason if join else "")
    [reason] = reasons
    return reason


# --- title -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "reason"), [(4, TITLE), (3, "")])
def test_content_words_of_a_title_that_is_evidence(count: int, reason: str) -> None:
    title = words(range(count))
    assert joined(first(title), second(title)) == reason


@pytest.mark.parametrize(("shared", "reason"), [(9, TITLE), (8, "")])
def test_leads_that_contradict_an_equal_title(shared: int, reason: str) -> None:
    """Nine words of sixty."""
    title = words(range(300, 304))
    one, other = mixed(shared, 60, 100), mixed(shared, 60, 200)
    assert joined(first(title, one), second(title, other)) == reason


@pytest.mark.parametrize(("count", "reason"), [(10, ""), (9, TITLE)])
def test_words_of_a_lead_that_can_contradict(count: int, reason: str) -> None:
    title = words(range(300, 304))
    one, other = words(range(count)), words(range(40, 40 + count))
    assert joined(first(title, one), second(title, other)) == reason


@pytest.mark.parametrize(("phrase", "reason"), [((0, 1, 2), ""), ((0, 5, 1, 6, 2), TITLE)])
def test_form_filled_in_twice_has_a_phrase_in_common(phrase: tuple[int, ...], reason: str) -> None:
    """One trigram of ten, and a number on both sides."""
    title = words(range(300, 304))
    fill = 11 - len(phrase)
    one = f"{words(phrase, range(40, 40 + fill))} 17"
    changed = phrase if len(phrase) == 3 else (0, 7, 1, 8, 2)
    other = f"{words(changed, range(80, 80 + fill))} 18"
    assert joined(first(title, one), second(title, other)) == reason


def test_one_trigram_of_eleven_is_no_form() -> None:
    title = words(range(300, 304))
    one, other = (f"{words(0, 1, 2, range(n, n + 9))} {n}" for n in (40, 80))
    assert joined(first(title, one), second(title, other)) == TITLE


@pytest.mark.parametrize(("left", "right"), [("17", "xx"), ("xx", "18"), ("xx", "yy")])
def test_form_filled_in_twice_has_facts_on_both_sides(left: str, right: str) -> None:
    title = words(range(300, 304))
    one = f"{words(0, 1, 2, range(40, 48))} {left}"
    other = f"{words(0, 1, 2, range(80, 88))} {right}"
    assert joined(first(title, one), second(title, other)) == TITLE


# --- hint ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        pytest.param(words(range(5)), words(0, 1, range(10, 13)), HINT, id="two fifths"),
        pytest.param(words(range(20)), words(range(8), range(40, 53)), "", id="less"),
        pytest.param(words(range(5)), "", "", id="no title"),
    ],
)
def test_titles_that_agree_with_a_hint(one: str, other: str, reason: str) -> None:
    assert joined(first(one), second(other), hinted=True) == reason
    assert joined(first(one), second(other)) == ""


@pytest.mark.parametrize(("shared", "reason"), [(9, HINT), (8, "")])
def test_texts_that_agree_with_a_hint(shared: int, reason: str) -> None:
    """Seven trigrams of ten."""
    one = words(range(12))
    other = words(range(shared), range(40, 52 - shared))
    pair = first(words(range(300, 305)), one), second(words(range(340, 345)), other)
    assert joined(*pair, hinted=True) == reason


def test_hint_counts_after_the_window() -> None:
    title = words(range(5))
    assert joined(first(title), second(title, hours=72.1), hinted=True) == HINT
    assert joined(first(title), second(title, hours=72.1)) == ""


def test_similarity_has_two_decimals() -> None:
    candidate = Candidate(story=1, first=first(words(range(6))), sources=("herald",), hinted=True)
    join = clustering.decide(second(words(range(3), 10, 11)), [candidate])
    assert join == Join(story=1, reason=HINT, similarity=0.55)  # 6 of 11


# --- text ------------------------------------------------------------------------------------

ABOUT_ONE, ABOUT_OTHER = words(0, 1, range(300, 303)), words(2, 3, range(340, 343))


@pytest.mark.parametrize(("shared", "reason"), [(9, TEXT), (8, "")])
def test_text_under_two_headlines_is_the_same(shared: int, reason: str) -> None:
    """Seven trigrams of ten."""
    other = words(range(shared), range(40, 52 - shared))
    assert joined(first(ABOUT_ONE, words(range(12))), second(ABOUT_OTHER, other)) == reason


def test_39_trigrams_of_56_are_too_few() -> None:
    one, other = words(range(58)), words(range(41), range(200, 217))
    assert joined(first(ABOUT_ONE, one), second(ABOUT_OTHER, other)) == ""


@pytest.mark.parametrize(("count", "reason"), [(10, TEXT), (9, "")])
def test_words_of_a_lead_that_is_evidence(count: int, reason: str) -> None:
    lead = words(range(count))
    assert joined(first(ABOUT_ONE, lead), second(ABOUT_OTHER, lead)) == reason


def test_headlines_are_about_the_text() -> None:
    """Two words of five."""
    lead = words(range(12))
    barely = words(range(7), range(340, 351))  # of eighteen
    assert joined(first(ABOUT_ONE, lead), second(barely, lead)) == ""


def test_headlines_are_about_the_text_that_both_have() -> None:
    one, other = words(range(12), 50, 51), words(range(12), 60, 61)
    assert joined(first(words(50, 51, range(300, 303)), one), second(ABOUT_OTHER, other)) == ""
    assert joined(first(ABOUT_ONE, one), second(ABOUT_OTHER, other)) == TEXT


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        pytest.param((0, 1, 2, 3, 4), (1, 0, 10, 11, 12), TEXT, id="two fifths, turned round"),
        pytest.param(range(20), (7, 6, *range(6), *range(40, 53)), "", id="less"),
        pytest.param((0, 1, 2, 3, 4), (0, 1, 10, 11, 12), "", id="in one order"),
    ],
)
def test_reworded_headlines(one: Iterable[int], other: Iterable[int], reason: str) -> None:
    lead = words(range(100, 112))
    assert joined(first(words(one), lead), second(words(other), lead)) == reason


def test_dateline_is_no_part_of_the_text() -> None:
    lead = words(range(10))
    wire = f"OSLO, 12 May (NNA) - {lead}"
    assert joined(first(ABOUT_ONE, wire), second(ABOUT_OTHER, lead)) == TEXT
    keys = [clustering.keys(first("", text)).near for text in (lead, wire)]
    assert keys[0] == keys[1] != ()


# --- likeness --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long", "reason"),
    [
        pytest.param(6, 10, LIKENESS, id="three quarters"),
        pytest.param(10, 17, "", id="less"),
        pytest.param(4, 5, LIKENESS, id="four content words"),
        pytest.param(3, 4, "", id="three"),
    ],
)
def test_titles_without_leads(short: int, long: int, reason: str) -> None:
    assert joined(first(words(range(short))), second(words(range(long)))) == reason


@pytest.mark.parametrize(("word", "reason"), [("again", LIKENESS), ("3", "")])
def test_number_in_one_of_two_titles(word: str, reason: str) -> None:
    title = words(range(6))
    assert joined(first(title), second(f"{title} {word}")) == reason


QUARTER, LESS = words(range(5), range(40, 49)), words(range(4), range(40, 50))
LEAD = words(range(14))


@pytest.mark.parametrize(
    ("short", "long", "lead", "reason"),
    [
        pytest.param(3, 7, QUARTER, LIKENESS, id="six tenths of titles, a quarter of texts"),
        pytest.param(10, 24, QUARTER, "", id="less of titles"),
        pytest.param(3, 7, LESS, "", id="less of texts, too few words for the subject"),
        pytest.param(4, 7, mixed(5, 14, 40), LIKENESS, id="four words, and the subject"),
        pytest.param(3, 5, mixed(5, 14, 40), "", id="three words"),
    ],
)
def test_titles_and_leads(short: int, long: int, lead: str, reason: str) -> None:
    one = first(words(range(300, 300 + short)), LEAD)
    assert joined(one, second(words(range(300, 300 + long)), lead)) == reason


def test_14_trigrams_of_58_are_too_few() -> None:
    """Under titles that share six tenths."""
    one, other = words(range(60)), words(range(16), range(200, 244))
    pair = first(words(range(300, 303)), one), second(words(range(300, 307)), other)
    assert joined(*pair) == ""


@pytest.mark.parametrize(("shared", "reason"), [(21, LIKENESS), (20, "")])
def test_subject_that_agrees(shared: int, reason: str) -> None:
    """21 words of sixty."""
    one, other = mixed(shared, 60, 100), mixed(shared, 60, 200)
    pair = first(words(range(300, 304)), one), second(words(range(300, 305)), other)
    assert joined(*pair) == reason


@pytest.mark.parametrize(
    ("lead", "reused", "reason"),
    [(QUARTER, True, LIKENESS), (LESS, True, ""), (LESS, False, LIKENESS)],
)
def test_reused_title_needs_the_text(lead: str, reused: bool, reason: str) -> None:
    """The lead has a word of the subject more, so that this alone doesn't decide."""
    one = first(words(range(300, 304)), LEAD)
    other = second(words(range(300, 305)), f"{lead} {words(6, 8)}")
    assert joined(one, replace(other), reused_title=reused) == reason


def test_both_titles_may_not_differ() -> None:
    title = words(range(8))
    assert joined(first(f"{title} north"), second(title)) == LIKENESS
    assert joined(first(f"{title} north"), second(f"{title} south")) == ""


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        pytest.param("Alders beat Birches 3:2", "Birches beat Alders 3:2", "", id="one score"),
        pytest.param("Alders beat Birches", "Birches beat Alders", LIKENESS, id="no score"),
        pytest.param("Alders beat Birches 32", "Birches beat Alders 32", LIKENESS, id="a number"),
        pytest.param("Alders beat Birches 3:2", "Alders beat Birches 3:2", TITLE, id="one order"),
        pytest.param(
            "Alders beat Birches 3:2",
            "Alders beat the great Birches 3:2",
            LIKENESS,
            id="a word more",
        ),
    ],
)
def test_other_winner(one: str, other: str, reason: str) -> None:
    ending = "in cup final replay"
    assert joined(first(f"{one} {ending}"), second(f"{other} {ending}")) == reason


def test_score_in_one_of_two_titles_names_no_winner() -> None:
    lead = words(range(12))
    one = first("Alders beat Birches 3:2 in cup final replay", lead)
    other = second("Birches beat Alders in cup final replay", lead)
    assert joined(one, other) == TEXT


# --- of several stories ----------------------------------------------------------------------


def test_stronger_rules_win_over_similarity_and_age() -> None:
    entry = second(words(range(10)), words(range(100, 112)))
    by_page = replace(first("", ""), id=50)
    by_hint = replace(first(words(range(6), range(20, 24))), id=40)
    by_title = replace(first(entry.title), id=30)
    by_text = replace(first(words(9, 8, 7, 6, range(24, 30)), entry.lead), id=20)
    by_likeness = replace(first(words(range(8)), words(range(100, 108), range(60, 64))), id=10)
    candidates = [
        Candidate(story=report.id, first=report, sources=("herald",), **fields)
        for report, fields in (
            (by_likeness, {}),
            (by_text, {}),
            (by_title, {}),
            (by_hint, {"hinted": True}),
            (by_page, {"same_page": True}),
        )
    ]
    reasons = [LIKENESS, TEXT, TITLE, HINT, PAGE]
    for count, reason in enumerate(reasons, start=1):
        for order in (candidates[:count], candidates[count - 1 :: -1]):
            join = clustering.decide(entry, order)
            assert join is not None
            assert join.reason == reason


def test_equal_page_beats_a_hint_of_full_likeness_and_an_older_story() -> None:
    entry = second(words(range(6)))
    hinted = Candidate(story=1, first=first(entry.title), sources=("herald",), hinted=True)
    paged = replace(hinted, story=9, hinted=False, same_page=True)
    join = clustering.decide(entry, [hinted, paged])
    assert join is not None
    assert join.story == 9


def test_equal_title_beats_an_equal_text_and_an_older_story() -> None:
    entry = second(words(range(6)), words(range(100, 112)))
    text = first(words(5, 4, 3, 2, 1, 0), entry.lead)
    join = clustering.decide(
        entry,
        [
            Candidate(story=1, first=text, sources=("herald",)),
            Candidate(story=9, first=first(entry.title), sources=("herald",)),
        ],
    )
    assert join is not None
    assert (join.story, join.reason) == (9, TITLE)


def test_nearly_equal_text_beats_a_greater_likeness_and_an_older_story() -> None:
    entry = second(words(range(10)), words(range(100, 112)))
    text = first(words(9, 8, 7, 6, range(24, 30)), words(range(100, 109), range(60, 63)))
    likeness = first(words(range(9)), words(range(100, 108), range(60, 64)))
    assert joined(likeness, entry) == LIKENESS
    join = clustering.decide(
        entry,
        [
            Candidate(story=1, first=likeness, sources=("herald",)),
            Candidate(story=9, first=text, sources=("herald",)),
        ],
    )
    assert join == Join(story=9, reason=TEXT, similarity=0.7)


def test_of_equal_rules_the_greater_similarity_wins() -> None:
    entry = second(words(range(10)))
    near, far = first(words(range(9))), first(words(range(7)))
    stories = [
        Candidate(story=1, first=far, sources=("herald",)),
        Candidate(story=2, first=near, sources=("herald",)),
    ]
    for order in (stories, stories[::-1]):
        join = clustering.decide(entry, order)
        assert join is not None
        assert join.story == 2


def test_stories_that_do_not_match_hide_none_that_does() -> None:
    entry = second(words(range(6)))
    match = Candidate(story=3, first=first(entry.title), sources=("herald",))
    ours = replace(match, story=1, sources=("post",))
    other = replace(match, story=2, first=first(words(range(40, 46))))
    assert clustering.decide(entry, [ours, other, match]) == Join(
        story=3, reason=TITLE, similarity=1.0
    )


# --- index -----------------------------------------------------------------------------------


KEYS = clustering.StoryKeys(
    page=-8236406089739309820,
    title=8420597176997032949,
    hints=(-5320129513373984964, 241863904588250447),
    hint_lookups=(
        -5320129513373984964,
        241863904588250447,
        3925047271590691470,
        -229641315417400110,
        -7008771089435480109,
    ),
    near=(
        1933218924762507519,
        1968749880557277025,
        2031001915554617410,
        2413266526387720156,
        3107467728978042820,
        3437554005398811335,
    ),
)


def test_keys_are_stored_so_they_never_change() -> None:
    """Changed keys need a new `VERSION`: otherwise the keys of stored entries match nothing."""
    entry = replace(
        first("Ferry aground off Skerrow", words(range(12))),
        page="https://herald.example/ferry",
        hints=("https://wire.example/1", "tag:wire.example,2009:1"),
    )
    assert replace(clustering.keys(entry), rare=()) == KEYS


NUMBERS = (3235144125222527470,)


def test_keys_of_numbers_never_change() -> None:
    assert clustering.keys(first("Ferry 212 1,200,345")).near == NUMBERS


def test_half_a_character_has_a_key_too() -> None:
    pages = [f"https://a.example/{end}" for end in ("\ud800", "\ud801")]
    one, other = (clustering.keys(replace(first(""), page=page)).page for page in pages)
    assert one != other


def test_titles_and_pages_have_keys_of_their_own() -> None:
    one, other = (
        clustering.keys(replace(first(title), page=f"https://a.example/{title}"))
        for title in ("ferry", "bridge")
    )
    assert len({one.page, other.page, one.title, other.title, 0}) == 5


def test_entry_without_a_kind_of_key_looks_up_none() -> None:
    assert set(clustering.keys(first("the")).lookups) == {0}
    old = clustering.keys(first(words(range(6)), words(range(12))), is_recent=False)
    assert (old.near, old.title == 0) == ((), False)


@pytest.mark.parametrize(
    ("page", "has_key"),
    [
        ("https://a.example", False),
        ("https://a.example/", False),
        ("https://a.example/x/", True),
        ("https://a.example/?u=https://b.example", True),
    ],
)
def test_home_page_has_no_key(page: str, *, has_key: bool) -> None:
    assert (clustering.keys(replace(first(""), page=page)).page != 0) is has_key


@pytest.mark.parametrize(("count", "keys"), [(1, 0), (2, 1), (3, 1), (4, 4), (9, 4)])
def test_keys_of_a_title(count: int, keys: int) -> None:
    assert len(clustering.keys(first(words(range(count)))).near) == keys


@pytest.mark.parametrize(("count", "keys"), [(9, 0), (10, 2), (12, 2), (40, 2)])
def test_keys_of_a_lead(count: int, keys: int) -> None:
    assert len(clustering.keys(first("", words(range(count)))).near) == keys


def test_keys_of_a_lead_are_those_of_its_first_words() -> None:
    """In a hundred leads: the smallest numbers would mostly be of the words that follow."""
    for start in range(100):
        lead = words(range(start, start + 12))
        cut = clustering.keys(first("", lead))
        assert clustering.keys(first("", f"{lead} {words(range(200, 230))}")) == cut


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("parlia", "parlib", True),
        ("parla", "parlb", False),
        ("123456", "123457", False),
    ],
)
def test_inflections_have_one_key(one: str, other: str, *, same: bool) -> None:
    ours, theirs = (clustering.keys(first(f"{word} budget")).near for word in (one, other))
    assert (ours == theirs) is same


def test_nearest_share_most_keys() -> None:
    keys = clustering.keys(first(words(range(6)), words(range(12))))
    by_key = {key: [7, 8, 9][:count] for count, key in enumerate(keys.near[:3], start=1)}
    assert clustering.nearest(keys, by_key) == [7, 8, 9]
    assert clustering.nearest(keys, {keys.near[0]: list(range(20))}) == list(range(12))
