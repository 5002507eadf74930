"""The sums of polls by hour and day."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from aggregator.models.config import Source
from aggregator.store.database import migrations
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import format_time
from aggregator.store.sources import poll_history, poll_log, sync
from aggregator.store.sources.poll_history import PollSums

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
SOURCES = ("a", "b")


class Event(NamedTuple):
    """A poll, or a push."""

    source_id: str
    minutes: int
    outcome: str
    milliseconds: int
    bytes: int
    new: int

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minutes)


EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(SOURCES),
        st.integers(0, 3 * 24 * 60),
        st.sampled_from(("ok", "not_modified", "equal", "timeout", "pushed")),
        st.integers(0, 90_000),
        st.integers(0, 2**40),
        st.integers(0, 500),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(str(tmp_path_factory.mktemp("history") / "a.db"))
    with store.transaction() as db:
        named = [Source(id=id, url=f"https://{id}.example/") for id in SOURCES]
        sync.apply(db, named, now=START, first_polls={})
    yield store
    store.close()


@pytest.fixture
def store(opened: Store) -> Store:
    clear(opened)
    return opened


def clear(store: Store) -> None:
    with store.transaction() as db:
        for table in ("polls", "hours", "source_hours", "days"):
            db.execute(f"delete from {table}")


def row(event: Event) -> poll_log.PollRow:
    return poll_log.PollRow(
        source_id=event.source_id,
        at=event.at,
        outcome=event.outcome,
        status=200,
        milliseconds=event.milliseconds,
        bytes=event.bytes,
        conditional=False,
        new=event.new,
        changed=0,
        detail="",
        next_poll=event.at,
        reason="",
    )


def log(store: Store, events: Sequence[Event]) -> None:
    """Log the polls in one batch, as the ingester does, then the pushes."""
    with store.transaction() as db:
        polls = [event for event in events if event.outcome != "pushed"]
        poll_log.add(db, [(row(event), number, 7) for number, event in enumerate(polls)])
        for event in events:
            if event.outcome == "pushed":
                poll_log.add_push(db, event.source_id, event.at, event.new, 0, event.bytes)


def recounted(events: Sequence[Event], *, daily: bool) -> list[PollSums]:
    """Add up the events by the start of their hour or day."""
    sums: dict[datetime, Counter[str]] = {}
    for event in events:
        start = event.at.replace(minute=0, second=0)
        start = start.replace(hour=0) if daily else start
        is_poll = event.outcome != "pushed"
        sums.setdefault(start, Counter()).update(
            polls=int(is_poll),
            failed=int(event.outcome == "timeout"),
            new=event.new,
            bytes=event.bytes,
            milliseconds=event.milliseconds if is_poll else 0,
        )
    return [PollSums(start=start, **sums[start]) for start in sorted(sums)]


def all_hours(db: Connection) -> list[datetime]:
    rows = db.execute("select distinct hour from source_hours")
    return [datetime.fromisoformat(row[0]).replace(tzinfo=UTC) for row in rows]


@given(EVENTS)
@settings(deadline=None)
def test_sums_equal_a_recount_of_the_events(opened: Store, events: list[Event]) -> None:
    clear(store := opened)
    log(store, events)
    with store.reading() as db:
        hours = all_hours(db)
        assert poll_history.hours_of_site(db, hours) == recounted(events, daily=False)
        assert poll_history.days_of_site(db, START.date()) == recounted(events, daily=True)
        for source_id in SOURCES:
            own = [event for event in events if event.source_id == source_id]
            by_hour = poll_history.hours_of_source(db, source_id, hours)
            assert by_hour == recounted(own, daily=False)
            by_day = poll_history.days_of_source(db, source_id, START.date())
            assert by_day == recounted(own, daily=True)
    with store.reading() as db:
        assert poll_log.totals(db).bytes == sum(event.bytes for event in events)


def test_only_the_requested_hours_and_days_are_returned(store: Store) -> None:
    events = [Event("a", minutes, "ok", 5, 100, 1) for minutes in (0, 60, 24 * 60)]
    log(store, events)
    hour = START.replace(minute=0)
    with store.reading() as db:
        assert [
            (sums.start, sums.polls) for sums in poll_history.hours_of_source(db, "a", [hour])
        ] == [(hour, 1)]
        assert poll_history.hours_of_site(db, [hour - timedelta(hours=1)]) == []
        tomorrow = START.date() + timedelta(days=1)
        assert [sums.polls for sums in poll_history.days_of_site(db, tomorrow)] == [1]
        assert [sums.polls for sums in poll_history.days_of_source(db, "a", tomorrow)] == [1]
        assert poll_history.days_of_source(db, "b", START.date()) == []


@pytest.mark.parametrize(
    ("age", "hours", "days"),
    [
        (timedelta(days=3), 1, 1),
        (timedelta(days=3, hours=1), 0, 1),
        (timedelta(days=400), 0, 1),
        (timedelta(days=401), 0, 0),
    ],
)
def test_old_sums_are_deleted(store: Store, age: timedelta, hours: int, days: int) -> None:
    log(store, [Event("a", 0, "ok", 5, 100, 1)])
    with store.transaction() as db:
        poll_log.forget(db, START + age)
    hour = START.replace(minute=0)
    with store.reading() as db:
        assert len(poll_history.hours_of_source(db, "a", [hour])) == hours
        assert len(poll_history.days_of_source(db, "a", START.date())) == days
        assert len(poll_history.hours_of_site(db, [hour])) == days
        assert poll_log.totals(db).polls == 1


def test_values_of_an_earlier_version_stay_unknown() -> None:
    at = format_time(START)
    db = Database(memory=True)
    old = migrations.MIGRATIONS.index(migrations.history)
    for migration in migrations.MIGRATIONS[:old]:
        migration(db)
    db.execute("insert into hours values (?, 1, 0, 0, 0, 100, 0, 1, 0)", (at[:13],))
    db.execute("insert into days values ('a', ?, 1, 0, 1, 0)", (at[:10],))
    migrations.history(db)
    for number, minutes in enumerate((10, 24 * 60), 1):
        event = Event("a", minutes, "ok", 5, 100, 1)
        db.execute("pragma foreign_keys = off")
        poll_log.add(db.conn, [(row(event), number, 0)])
    days = poll_history.days_of_source(db.conn, "a", START.date())
    assert [(day.polls, day.bytes, day.milliseconds) for day in days] == [
        (2, None, None),
        (1, 100, 5),
    ]
    site = poll_history.days_of_site(db.conn, START.date())
    assert [(day.polls, day.bytes, day.milliseconds) for day in site] == [
        (2, 200, None),
        (1, 100, 5),
    ]
    db.close()


def test_a_chart_of_a_source_reads_no_row_of_others(store: Store) -> None:
    hours = [START - timedelta(hours=back) for back in range(24)]
    with store.reading() as db:
        statements: list[str] = []
        db.set_trace_callback(statements.append)
        poll_history.hours_of_source(db, "a", hours)
        poll_history.days_of_source(db, "a", START.date())
        db.set_trace_callback(None)
        plans = [
            line["detail"]
            for statement in statements
            for line in db.execute(f"explain query plan {statement}")
        ]
    assert "SEARCH source_hours USING PRIMARY KEY (hour=? AND source_id=?)" in plans
    assert "SEARCH days USING PRIMARY KEY (source_id=? AND day>?)" in plans
