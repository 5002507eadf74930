"""Texts that were stored in English, on pages in another language."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.config import Rule
from aggregator.policy import filter_rules, schedule
from aggregator.policy.schedule import ScheduleInputs
from aggregator.web import i18n
from aggregator.web.pages.recorded import MAX_LENGTH, PHRASES, recorded
from tests.web.sample_store import make_entry

NOW = datetime(2009, 6, 27, 13, 45, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """English again after each test."""
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hourly", "stündlich"),
        ("publishes about every 50 min", "veröffentlicht etwa alle 50 min"),
        (
            "publishes about every 2 days 3 h; 2 failures in a row, retry in 3 days",
            "veröffentlicht etwa alle 2 Tage 3 h; 2 Fehlschläge in Folge, Wartezeit 3 Tage",
        ),
        (
            "found the feed's URL on the page; polling it now",
            "URL des Feeds auf der Seite gefunden, wird jetzt abgerufen",
        ),
        ("the clock was set back; next 14:35: hourly", "die Uhr wurde zurückgestellt; nächster"),
        ("not in section a: dropped by the rule title: x", "nicht im Ressort a: ausgeschlossen"),
        ("", ""),
    ],
)
def test_phrases_are_translated_with_their_values(text: str, expected: str) -> None:
    i18n.use("de")
    assert recorded(text).startswith(expected)
    assert "<span" not in recorded(text)
    i18n.use("en")
    assert recorded(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "curl: (6) Could not resolve <host>",
        "hourly; <b>a message of a library</b>",
        "minimum is " + MAX_LENGTH * "9" + " h",
    ],
)
def test_other_texts_are_shown_as_they_are_and_marked_as_english(text: str) -> None:
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    for language in ("de", "ar"):
        i18n.use(language)
        assert recorded(text) == f'<span lang="en" dir="ltr">{escaped}</span>'


def test_a_long_text_of_many_semicolons_is_given_up_at_once() -> None:
    i18n.use("de")
    assert "<span" in recorded("hourly; " * 50 + "x")


spans = st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=40))


@given(
    inputs=st.builds(
        ScheduleInputs,
        every=spans,
        usual_gap=spans,
        lifetime=spans,
        ttl=spans,
        update_period=spans,
        skip_hours=st.frozensets(st.integers(0, 23)),
        skip_days=st.frozensets(st.integers(0, 6)),
        failures=st.integers(0, 9),
        gone=st.booleans(),
        gate=st.none() | st.just(NOW + timedelta(hours=3)) | st.just(NOW + timedelta(days=30)),
        gate_from=st.none() | st.just(NOW - timedelta(hours=1)),
        push=st.booleans(),
        gap_boost=st.integers(0, 3),
    ),
    jitter=st.floats(0, 1),
)
def test_every_reason_of_the_schedule_is_made_of_phrases(
    inputs: ScheduleInputs, jitter: float
) -> None:
    plan = schedule.next_poll(now=NOW, inputs=inputs, jitter=jitter)
    i18n.use("de")
    assert "<span" not in recorded(plan.reason.partition(": ")[2])
    guarded = schedule.clock_guard(plan, planned=NOW + timedelta(days=9), now=NOW)
    assert "<span" not in recorded(guarded.reason)


def test_reasons_of_rules_are_phrases() -> None:
    i18n.use("de")
    entry = replace(make_entry(1), title="a")
    for rule in (
        Rule(field="title", pattern="a", action="drop"),
        Rule(field="title", pattern="b", action="keep"),
    ):
        assert "<span" not in recorded(filter_rules.verdict((rule,), entry))


@pytest.mark.parametrize("phrase", PHRASES)
def test_each_phrase_is_found_as_itself(phrase: str) -> None:
    i18n.use("de")
    values = dict.fromkeys(re.findall(r"%\((\w+)\)s", phrase), "17")
    assert recorded(phrase % values) == i18n.gettext(phrase, **values)
