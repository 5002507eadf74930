"""`schedule`: a table for each rule, and properties that hold for all inputs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.poll import NextPoll
from aggregator.policy import schedule
from aggregator.policy.schedule import ScheduleInputs

NOW = datetime(2009, 6, 27, 13, 45, tzinfo=UTC)  # a Saturday
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def plan(jitter: float = 0.0, **inputs: Any) -> NextPoll:
    return schedule.next_poll(now=NOW, inputs=ScheduleInputs(**inputs), jitter=jitter)


WAITS = [
    ("without a pattern, hourly", {}, HOUR),
    ("the feed's usual gap is the interval", {"usual_gap": 50 * MINUTE}, 50 * MINUTE),
    ("a short gap is kept to the minimum", {"usual_gap": MINUTE}, 5 * MINUTE),
    ("a long gap is kept to the maximum", {"usual_gap": 40 * DAY}, DAY),
    ("the user's interval beats the gap", {"every": HOUR, "usual_gap": MINUTE}, HOUR),
    ("the user's interval may go below the minimum", {"every": MINUTE}, MINUTE),
    ("the user's interval may go above the maximum", {"every": 7 * DAY}, 7 * DAY),
    ("max-age bounds the user's interval", {"every": MINUTE, "lifetime": 10 * MINUTE}, 10 * MINUTE),
    ("a short max-age changes nothing", {"usual_gap": HOUR, "lifetime": MINUTE}, HOUR),
    ("ttl bounds the user's interval", {"every": MINUTE, "ttl": 15 * MINUTE}, 15 * MINUTE),
    ("the update period is a bound", {"every": MINUTE, "update_period": 2 * HOUR}, 2 * HOUR),
    (
        "with a base, the bound is the next update counted from it",
        {
            "every": MINUTE,
            "update_period": DAY,
            "update_base": datetime(2000, 1, 1, 14, tzinfo=UTC),
        },
        15 * MINUTE,
    ),
    (
        "a base in the future counts backwards",
        {
            "every": MINUTE,
            "update_period": DAY,
            "update_base": datetime(2050, 1, 1, 14, tzinfo=UTC),
        },
        15 * MINUTE,
    ),
    ("ten years of max-age are capped at a day", {"lifetime": 3650 * DAY}, DAY),
    (
        "a small maximum does not undercut a sane max-age",
        {"lifetime": 6 * HOUR, "maximum": HOUR},
        6 * HOUR,
    ),
    ("a larger maximum is the cap", {"ttl": 9 * DAY, "maximum": 7 * DAY}, 7 * DAY),
    ("Retry-After is never shortened", {"gate": NOW + 60 * DAY}, 60 * DAY),
    ("a Retry-After that has passed is forgotten", {"gate": NOW - DAY}, HOUR),
    (
        "a Retry-After given before the clock was set back starts again",
        {"gate": NOW + 3650 * DAY + 2 * HOUR, "gate_from": NOW + 3650 * DAY},
        2 * HOUR,
    ),
    (
        "a Retry-After received within the clock's tolerance of now is kept",
        {"gate": NOW + HOUR + 2 * MINUTE, "gate_from": NOW + MINUTE},
        HOUR + 2 * MINUTE,
    ),
    (
        "one received a second beyond it starts again",
        {"gate": NOW + 2 * HOUR, "gate_from": NOW + MINUTE + SECOND},
        2 * HOUR - MINUTE - SECOND,
    ),
    (
        "one received before now is kept",
        {"gate": NOW + 2 * HOUR, "gate_from": NOW - MINUTE / 2},
        2 * HOUR,
    ),
    ("a pushed feed is polled slowly", {"usual_gap": HOUR, "push": True}, 12 * HOUR),
    ("a pushed feed is polled within the maximum", {"usual_gap": DAY / 2, "push": True}, DAY),
    ("missed entries halve the gap", {"usual_gap": 4 * HOUR, "gap_boost": 2}, HOUR),
    ("and the default interval", {"gap_boost": 1}, HOUR / 2),
    ("but not below the minimum", {"usual_gap": 8 * MINUTE, "gap_boost": 4}, 5 * MINUTE),
    ("nor below the server's ttl", {"usual_gap": HOUR, "gap_boost": 4, "ttl": HOUR}, HOUR),
    ("the user's interval is not halved", {"every": HOUR, "gap_boost": 4}, HOUR),
    ("a failure never shortens the interval", {"usual_gap": HOUR, "failures": 3}, HOUR),
    ("saturday may be skipped", {"skip_days": frozenset({5})}, 10 * HOUR + 15 * MINUTE),
    ("hours are skipped in GMT", {"skip_hours": frozenset({14, 15})}, 2 * HOUR + 15 * MINUTE),
    (
        "days and hours are skipped together",
        {"skip_days": frozenset({5, 6}), "skip_hours": frozenset({0, 1})},
        36 * HOUR + 15 * MINUTE,
    ),
    ("skipping every hour is ignored", {"skip_hours": frozenset(range(24))}, HOUR),
    ("skipping every day is ignored", {"skip_days": frozenset(range(7))}, HOUR),
]


@pytest.mark.parametrize(
    ("inputs", "wait"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS]
)
def test_wait_without_jitter(inputs: dict[str, Any], wait: timedelta) -> None:
    assert plan(**inputs).at - NOW == wait


def test_the_hour_after_the_skipped_begins_on_the_minute() -> None:
    now = NOW.replace(second=12, microsecond=345)
    inputs = ScheduleInputs(every=HOUR, skip_hours=frozenset({14}))
    at = schedule.next_poll(now=now, inputs=inputs, jitter=0.0).at
    assert at == NOW.replace(hour=15, minute=0)


def test_jitter_adds_up_to_a_tenth() -> None:
    assert plan(1.0, usual_gap=HOUR).at - NOW == HOUR * 1.1
    assert plan(0.5, usual_gap=HOUR).at - NOW == HOUR * 1.05


def test_jitter_stays_within_the_maximum() -> None:
    assert plan(1.0, usual_gap=DAY).at - NOW == DAY


def test_jitter_spreads_sources_with_one_gate() -> None:
    gate = NOW + 3 * DAY
    assert gate < plan(0.3, gate=gate).at < plan(0.9, gate=gate).at


def test_jitter_does_not_leave_the_first_hour_after_the_skipped() -> None:
    at = plan(1.0, every=DAY, skip_hours=frozenset(range(13, 24)) | frozenset({1})).at
    assert (at.hour, at.minute) == (0, 59)


@pytest.mark.parametrize(
    ("failures", "most"), [(1, 2 * HOUR), (2, 4 * HOUR), (4, 16 * HOUR), (5, DAY), (10**6, DAY)]
)
def test_failures_draw_from_a_doubled_range(failures: int, most: timedelta) -> None:
    assert plan(1.0, usual_gap=HOUR, failures=failures).at - NOW == min(most + HOUR / 10, DAY)


def test_backoff_leaves_an_interval_above_the_maximum_alone() -> None:
    assert plan(every=7 * DAY, failures=9).at - NOW == 7 * DAY


@pytest.mark.parametrize(("jitter", "days"), [(0.0, 27), (0.5, 30), (1.0, 33)])
def test_gone_is_probed_monthly(jitter: float, days: int) -> None:
    wait = plan(jitter, gone=True, failures=7).at - NOW
    assert days * DAY <= wait <= days * DAY + HOUR


def test_retry_after_at_the_end_of_the_calendar() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    skip = {"skip_hours": frozenset({23}), "skip_days": frozenset({4})}
    assert plan(1.0, gate=last, **skip).at >= last


def test_reason_names_every_rule() -> None:
    gate = NOW.replace(hour=14, minute=30)
    planned = plan(
        usual_gap=50 * MINUTE,
        lifetime=10 * MINUTE,
        gate=gate,
        gate_from=NOW.replace(hour=13, minute=55) - HOUR,
    )
    assert planned.reason == (
        "next 14:35: publishes about every 50 min; server says max-age 600; "
        "not before 14:30 (Retry-After, received 12:55)"
    )


REASONS = [
    ({"every": HOUR, "ttl": DAY}, "next 2009-06-28 13:45: configured: hourly; feed says ttl 24 h"),
    (
        {"every": HOUR, "ttl": DAY + SECOND},
        "next 2009-06-28 13:45: configured: hourly; feed says ttl 24 h, capped at 24 h",
    ),
    ({"every": HOUR, "gate": NOW}, "next 14:45: configured: hourly"),
    (
        {"every": HOUR, "gate": NOW + SECOND},
        "next 14:45: configured: hourly; not before 13:45 (Retry-After)",
    ),
    ({}, "next 14:45: no publishing pattern yet: hourly"),
    ({"every": 90 * MINUTE}, "next 15:15: configured: every 1 h 30 min"),
    ({"usual_gap": MINUTE}, "next 13:50: publishes about every 1 min; minimum is 5 min"),
    (
        {"usual_gap": 3 * DAY},
        "next 2009-06-28 13:45: publishes about every 3 days; maximum is 24 h",
    ),
    (
        {"every": HOUR, "lifetime": 365 * DAY},
        "next 2009-06-28 13:45: configured: hourly; server says max-age 31536000, capped at 24 h",
    ),
    (
        {"every": HOUR, "ttl": 2 * HOUR, "update_period": HOUR},
        "next 15:45: configured: hourly; feed says ttl 2 h; feed says it updates hourly",
    ),
    (
        {"every": HOUR, "failures": 1},
        "next 14:45: configured: hourly; 1 failure, retry in 1 h",
    ),
    (
        {"every": HOUR, "failures": 4, "push": True},
        "next 2009-06-28 01:45: configured: hourly; pushed by a hub, so polls are only a backup; "
        "4 failures in a row, retry in 12 h",
    ),
    (
        {"every": HOUR, "gone": True},
        "next 2009-07-24 13:45: configured: hourly; "
        "the server says the feed is gone (410): retried monthly",
    ),
    (
        {"every": HOUR, "gate": NOW + 2 * DAY},
        "next 2009-06-29 13:45: configured: hourly; not before 2009-06-29 13:45 (Retry-After)",
    ),
    (
        {"every": HOUR, "skip_hours": frozenset({14})},
        "next 15:00: configured: hourly; moved past the feed's skipHours or skipDays",
    ),
    (
        {"every": HOUR, "skip_hours": frozenset(range(24)), "skip_days": frozenset(range(7))},
        "next 14:45: configured: hourly; skipHours lists every hour: ignored; "
        "skipDays lists every day: ignored",
    ),
]


@pytest.mark.parametrize(("inputs", "reason"), REASONS)
def test_reason(inputs: dict[str, Any], reason: str) -> None:
    assert plan(**inputs).reason == reason


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (45 * MINUTE / 60, "45 s"),
        (MINUTE, "1 min"),
        (59.6 * MINUTE, "1 h"),
        (26 * HOUR, "26 h"),
        (2 * DAY, "2 days"),
        (2 * DAY + 6 * HOUR, "2 days 6 h"),
        (6 * DAY + 23 * HOUR, "6 days 23 h"),
        (7 * DAY + HOUR, "7 days"),
        (30 * DAY + HOUR, "30 days"),
    ],
)
def test_duration(span: timedelta, words: str) -> None:
    assert schedule.format_duration(span) == words


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "14:35"), (20, "14:35"), (23, "14:35"), (24, "2009-06-27 14:35")]
)
def test_format_time(hour: int, text: str) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    at = NOW.replace(hour=14, minute=35)
    assert schedule.format_time(at, midnight + hour * HOUR) == text


# --- usual gap ----------------------------------------------------------------------------------


def ago(*hours: float) -> list[datetime]:
    return [NOW - HOUR * h for h in hours]


NIGHTLY = [h + s / 3600 for h in (1, 25, 49, 73) for s in range(10)]

TWENTY_GAPS = [float(h) for h in (*range(11), *range(13, 43, 3))]

GAPS = [
    ("no dates", [], None),
    ("one date", [1.0], None),
    ("ten entries at one time", [1.0] * 10, None),
    ("one old date", [100.0], 10 * HOUR),
    ("ten hours of silence", [10.0], None),
    ("a little more", [10.1], 1.01 * HOUR),
    ("a publication now counts", [0.0, 2.0], 2 * HOUR),
    ("twenty gaps count", TWENTY_GAPS, 2 * HOUR),
    ("not the one before them", [*TWENTY_GAPS, TWENTY_GAPS[-1] + 3], 2 * HOUR),
    ("two dates have one gap", [1.0, 3.0], 2 * HOUR),
    ("the median ignores one holiday", [1.0, 2.0, 3.0, 4.0, 500.0], HOUR),
    ("a nightly batch is nightly, not every second", NIGHTLY, DAY),
    ("a wire publishes every minute", [n / 120 for n in range(400)], MINUTE),
    (
        "only the recent gaps count",
        [n / 2 for n in range(30)] + [n * 90.0 for n in range(1, 90)],
        HOUR / 2,
    ),
    ("silence slows a feed down", [200.0, 201.0, 202.0], 20 * HOUR),
    ("dates in the future are ignored", [-5.0, -6.0, -7.0, 1.0], None),
]


@pytest.mark.parametrize(
    ("hours", "expected"), [row[1:] for row in GAPS], ids=[row[0] for row in GAPS]
)
def test_current_gap(hours: list[float], expected: timedelta | None) -> None:
    assert schedule.current_gap(schedule.publication_stats(ago(*hours), NOW), NOW) == expected


# --- start-up, clock, host ---------------------------------------------------------------------


def test_spread_fills_the_window() -> None:
    first, last = (
        schedule.spread(now=NOW, window=5 * MINUTE, jitter=jitter) for jitter in (0.0, 1.0)
    )
    assert (first.at, last.at) == (NOW, NOW + 5 * MINUTE)
    assert last.reason == "next 13:50: overdue at startup, spread over 5 min"


def guarded(at: datetime, planned: datetime) -> NextPoll:
    stored = NextPoll(at=at, reason="next 00:00: x")
    return schedule.clock_guard(stored, planned=planned, now=NOW)


def test_plan_made_in_the_past_is_kept() -> None:
    assert guarded(NOW + 90 * DAY, NOW - DAY) == NextPoll(at=NOW + 90 * DAY, reason="next 00:00: x")


@pytest.mark.parametrize("planned", [NOW, NOW + MINUTE])
def test_plan_made_within_the_clocks_tolerance_is_kept(planned: datetime) -> None:
    assert guarded(NOW + HOUR, planned).at == NOW + HOUR


def test_plan_made_a_second_beyond_it_starts_now() -> None:
    planned = NOW + MINUTE + SECOND
    assert guarded(planned + HOUR, planned).at == NOW + HOUR


def test_plan_made_ten_years_ahead_keeps_its_wait() -> None:
    planned = NOW + 3650 * DAY
    moved = guarded(planned + 2 * DAY, planned)
    assert moved.at == NOW + 2 * DAY
    assert moved.reason == "next 2009-06-29 13:45: the clock was set back; next 00:00: x"


def test_moved_plan_is_not_moved_again() -> None:
    planned = NOW + 3650 * DAY
    moved = guarded(planned + 2 * DAY, planned)
    assert schedule.clock_guard(moved, planned=NOW, now=NOW + HOUR) == moved


def test_spacing_doubles_with_429_and_shrinks_slowly() -> None:
    seen = [0.0]
    for limited in [False, True, True, True, False, False]:
        seen.append(schedule.host_spacing(seen[-1], limited=limited))
    assert seen == pytest.approx([0, 0, 1, 2, 4, 3.6, 3.24])


def test_spacing_has_both_bounds() -> None:
    assert schedule.host_spacing(0.1, limited=False) == 0
    assert schedule.host_spacing(0.11, limited=False) == 0
    assert schedule.host_spacing(0.11111111111111112, limited=False) == 0.1
    assert schedule.host_spacing(0.112, limited=False) == pytest.approx(0.1008)
    assert schedule.host_spacing(50, limited=True) == 60


def test_spacing_is_at_least_the_configured() -> None:
    assert schedule.host_spacing(0.0, limited=False, least=2.0) == 2
    assert schedule.host_spacing(90, limited=True, least=90) == 90


A, B, C = "a.example", "b.example", "c.example"
FIVE = [("a1", A), ("a2", A), ("b1", B), ("a3", A), ("c1", C)]


@pytest.mark.parametrize(
    ("room", "busy", "share", "taken"),
    [
        pytest.param(9, {}, 9, ["a1", "b1", "c1", "a2", "a3"], id="hosts in turn"),
        pytest.param(3, {}, 9, ["a1", "b1", "c1"], id="as many as there is room for"),
        pytest.param(4, {}, 9, ["a1", "b1", "c1", "a2"], id="the next turn begins"),
        pytest.param(0, {}, 9, [], id="without room none"),
        pytest.param(9, {}, 2, ["a1", "b1", "c1", "a2"], id="no more of a host than its share"),
        pytest.param(9, {A: 1}, 2, ["a1", "b1", "c1"], id="polls in flight count for the share"),
        pytest.param(9, {A: 2}, 2, ["b1", "c1"], id="a host with its share in flight waits"),
        pytest.param(9, {A: 5}, 2, ["b1", "c1"], id="so does one above it"),
        pytest.param(9, {A: 5}, 0, [], id="without a share none"),
    ],
)
def test_in_turns(room: int, busy: dict[str, int], share: int, taken: list[str]) -> None:
    assert schedule.in_turns(FIVE, room=room, busy=busy, share=share) == taken


def test_in_turns_of_nothing() -> None:
    assert schedule.in_turns([], room=9, busy={}, share=9) == []


# --- properties --------------------------------------------------------------------------------

spans = st.timedeltas(min_value=timedelta(seconds=1), max_value=800 * DAY)
hints = st.none() | spans
times = st.datetimes(
    min_value=datetime(1999, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
jitters = st.floats(0, 1)
calm = st.builds(
    ScheduleInputs,
    every=st.none() | st.timedeltas(min_value=timedelta(seconds=1), max_value=60 * DAY),
    minimum=st.timedeltas(min_value=timedelta(seconds=1), max_value=HOUR),
    maximum=st.timedeltas(min_value=HOUR, max_value=30 * DAY),
    usual_gap=hints,
    failures=st.integers(0, 100),
    push=st.booleans(),
    gap_boost=st.integers(0, 4),
)
bounded = st.builds(
    replace,
    calm,
    lifetime=hints,
    ttl=hints,
    update_period=hints,
    update_base=st.none() | times,
    gone=st.booleans(),
    gate=st.none() | times,
)
skipping = st.builds(
    replace,
    bounded,
    skip_hours=st.frozensets(st.integers(0, 23)),
    skip_days=st.frozensets(st.integers(0, 6)),
)


def decide(now: datetime, inputs: ScheduleInputs, jitter: float) -> datetime:
    return schedule.next_poll(now=now, inputs=inputs, jitter=jitter).at


@given(times, skipping, jitters)
def test_never_before_any_bound_that_the_server_gave(
    now: datetime, inputs: ScheduleInputs, jitter: float
) -> None:
    at = decide(now, inputs, jitter)
    most = max(inputs.maximum, DAY)
    for asked in (inputs.lifetime, inputs.ttl):
        assert asked is None or at >= now + min(asked, most)
    if inputs.update_period and inputs.update_base is None:
        assert at >= now + min(inputs.update_period, most)
    assert inputs.gate is None or at >= inputs.gate


@given(times, calm, jitters)
def test_within_minimum_and_maximum_without_other_bounds(
    now: datetime, inputs: ScheduleInputs, jitter: float
) -> None:
    wait = decide(now, inputs, jitter) - now
    least = min(inputs.minimum, inputs.every or inputs.minimum)
    assert least <= wait <= max(inputs.maximum, inputs.every or inputs.maximum)


@given(times, bounded, jitters)
def test_never_later_than_the_latest_bound(
    now: datetime, inputs: ScheduleInputs, jitter: float
) -> None:
    longest = max(inputs.maximum, inputs.every or DAY, DAY)
    latest = max(now + (33 * DAY if inputs.gone else longest), inputs.gate or now)
    assert decide(now, inputs, jitter) <= max(latest, now + longest) + longest / 10


@given(times, skipping, jitters)
def test_never_in_a_skipped_hour_unless_all_are(
    now: datetime, inputs: ScheduleInputs, jitter: float
) -> None:
    at = decide(now, inputs, jitter)
    assert len(inputs.skip_hours) == 24 or at.hour not in inputs.skip_hours
    assert len(inputs.skip_days) == 7 or at.weekday() not in inputs.skip_days


@given(times, skipping, jitters)
def test_skipping_costs_at_most_a_week(
    now: datetime, inputs: ScheduleInputs, jitter: float
) -> None:
    free = replace(inputs, skip_hours=frozenset(), skip_days=frozenset())
    assert decide(now, inputs, jitter) <= decide(now, free, jitter) + 7 * DAY + HOUR


@given(times, bounded, jitters, spans)
def test_longer_bounds_never_shorten_the_wait(
    now: datetime, inputs: ScheduleInputs, jitter: float, more: timedelta
) -> None:
    at = decide(now, inputs, jitter)
    for patient in (
        replace(inputs, failures=inputs.failures + 1),
        replace(inputs, lifetime=(inputs.lifetime or timedelta(0)) + more),
        replace(inputs, ttl=(inputs.ttl or timedelta(0)) + more),
        replace(inputs, gate=(inputs.gate or now) + more),
    ):
        assert decide(now, patient, jitter) >= at


@given(times, skipping, jitters)
def test_reason_has_a_time_and_a_rule(now: datetime, inputs: ScheduleInputs, jitter: float) -> None:
    reason = schedule.next_poll(now=now, inputs=inputs, jitter=jitter).reason
    when, _, why = reason.partition(": ")
    assert when.startswith("next ")
    assert why


@given(times, st.lists(times, max_size=40))
def test_gap_is_at_least_a_minute(now: datetime, published: list[datetime]) -> None:
    found = schedule.current_gap(schedule.publication_stats(published, now), now)
    assert found is None or found >= MINUTE


@given(times, times, spans, st.integers(0, 10))
def test_clock_guard_neither_shortens_nor_strands(
    planned: datetime, now: datetime, wait: timedelta, restarts: int
) -> None:
    stored = NextPoll(at=planned + wait, reason="next 00:00: x")
    for _ in range(restarts + 1):
        stored, before = (
            schedule.clock_guard(stored, planned=planned, now=now),
            stored,
        )
        planned = now if stored is not before else planned
    assert stored.at <= now + wait + MINUTE
    assert planned > now or stored.at >= planned + wait
