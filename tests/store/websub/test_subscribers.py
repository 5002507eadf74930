"""The hub's subscribers: due deliveries, bounds and the log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.store.database.connection import Connection, Store
from aggregator.store.websub import delivery_log, published_topics, subscribers, verification_queue
from aggregator.store.websub.delivery_log import Delivery
from aggregator.store.websub.verification_queue import PendingSubscription

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=1)
TOPIC = "https://us.example/feeds/all.atom"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    store = Store(str(tmp_path / "test.db"))
    with store.transaction() as db:
        yield db
    store.close()


def ask(db: Connection, callback: str = "https://t/1", **change: object) -> str:
    given = {
        "topic": TOPIC,
        "callback": callback,
        "host": "t",
        "mode": "subscribe",
        "secret": "",
        "lease": timedelta(hours=1),
        "now": NOW,
    } | change
    return verification_queue.add(db, **given)  # type: ignore[arg-type]


def join(db: Connection, callback: str = "https://t/1", version: int = 0) -> None:
    """Add a verified subscriber."""
    assert ask(db, callback) == ""
    [found] = verification_queue.due(db, NOW, 1)
    assert verification_queue.remove(db, found.id)
    subscribers.add(db, found, "t", version, NOW)


def due(db: Connection, now: datetime = NOW) -> list[str]:
    return [one.callback for one in subscribers.due(db, now, [], 100)]


def test_later_request_replaces_an_earlier_one(db: Connection) -> None:
    ask(db, secret="first")
    [first] = verification_queue.due(db, NOW, 9)
    ask(db, secret="second")
    [second] = verification_queue.due(db, NOW, 9)
    assert second.secret == "second"
    assert not verification_queue.remove(db, first.id), "its verification counts no more"
    assert verification_queue.remove(db, second.id)


def test_postponed_request_waits(db: Connection) -> None:
    ask(db)
    [one] = verification_queue.due(db, NOW, 9)
    verification_queue.postpone(db, one.id, LATER)
    assert verification_queue.due(db, NOW, 9) == []
    assert verification_queue.due(db, LATER, 9)[0].attempts == 1


def test_change_is_due_to_all_subscribers(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db, "https://t/1", 1)
    assert due(db) == []
    assert published_topics.publish(db, TOPIC, "two", NOW) == 1
    assert due(db) == ["https://t/1"]


@pytest.mark.parametrize(("version", "is_due"), [(1, True), (2, False)])
def test_change_during_a_verification_is_due_after_it(
    db: Connection, version: int, is_due: bool
) -> None:
    published_topics.add(db, TOPIC, "one")
    published_topics.publish(db, TOPIC, "two", NOW)
    join(db, version=version)
    assert bool(due(db)) is is_due


def test_delivered_version_is_not_due_but_a_later_one_is(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db, version=1)
    published_topics.publish(db, TOPIC, "two", NOW)
    [one] = subscribers.due(db, NOW, [], 9)
    published_topics.publish(db, TOPIC, "three", NOW)
    subscribers.mark_delivered(db, one.id, one.version, NOW)
    [again] = subscribers.due(db, NOW, [], 9)
    assert again.version == one.version + 1
    subscribers.mark_delivered(db, again.id, again.version, NOW)
    assert due(db) == []


def test_failure_waits_but_a_later_version_does_not(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db, version=1)
    published_topics.publish(db, TOPIC, "two", NOW)
    [one] = subscribers.due(db, NOW, [], 9)
    subscribers.mark_failed(db, one.id, one.version, retry_at=LATER, detail="no way", now=NOW)
    assert due(db) == []
    assert due(db, LATER) == ["https://t/1"]
    published_topics.publish(db, TOPIC, "three", NOW)
    subscribers.mark_failed(db, one.id, one.version, retry_at=LATER, detail="no way", now=NOW)
    assert due(db) == ["https://t/1"]


def test_failed_subscribers_come_last(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    for number in (1, 2, 3):
        join(db, f"https://t/{number}", 1)
    published_topics.publish(db, TOPIC, "two", NOW)
    first = subscribers.due(db, NOW, [], 9)[0]
    subscribers.mark_failed(db, first.id, first.version, retry_at=NOW, detail="no way", now=NOW)
    assert due(db) == ["https://t/2", "https://t/3", "https://t/1"]
    busy = [one.id for one in subscribers.due(db, NOW, [], 2)]
    assert [one.id for one in subscribers.due(db, NOW, busy, 9)] == [first.id]


def test_renewal_keeps_a_due_delivery(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db, version=1)
    published_topics.publish(db, TOPIC, "two", NOW)
    join(db, version=2)
    assert due(db) == ["https://t/1"]


def test_lease_ends_and_the_topic_with_its_last_subscriber(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db)
    published_topics.publish(db, TOPIC, "two", NOW)
    end = NOW + timedelta(hours=1)
    assert not subscribers.any_expired(db, end - timedelta(seconds=1), DAY)
    assert due(db, end) == []
    assert subscribers.any_expired(db, end, DAY)
    assert subscribers.expire(db, end, DAY) == [(TOPIC, "https://t/1")]
    published_topics.delete_unused(db)
    assert published_topics.digests(db) == {}
    assert published_topics.version(db, TOPIC) == 0


def test_lease_set_by_a_fast_clock_is_shortened(db: Connection) -> None:
    join(db)
    then = NOW - timedelta(days=3653)
    assert subscribers.any_expired(db, then, DAY)
    assert subscribers.expire(db, then, DAY) == []
    assert subscribers.by_failures(db, 9)[0].lease_until == then + DAY
    assert not subscribers.any_expired(db, then, DAY)


def test_closed_topic_denies_subscribers_and_pending_requests(db: Connection) -> None:
    published_topics.add(db, TOPIC, "one")
    join(db, "https://t/1")
    ask(db, "https://t/2")
    published_topics.close(db, TOPIC, NOW)
    assert {(one.callback, one.mode) for one in verification_queue.due(db, NOW, 9)} == {
        ("https://t/1", "denied"), ("https://t/2", "denied"),
    }  # fmt: skip
    assert subscribers.count(db) == 0


def fill(db: Connection, count: int, callback: str = "https://t/{}") -> None:
    """Store many subscribers at once."""
    for number in range(count):
        one = PendingSubscription(
            id=0,
            topic=f"{TOPIC}?{number}",
            callback=callback.format(number),
            mode="subscribe",
            secret="",
            lease=timedelta(hours=1),
            attempts=0,
        )
        subscribers.add(db, one, "t", 0, NOW)


def test_subscribers_are_bounded_but_may_renew(db: Connection) -> None:
    fill(db, verification_queue.MOST_SUBSCRIBERS)
    assert "limit of subscribers" in ask(db, "https://t/new")
    assert ask(db, "https://t/5", topic=f"{TOPIC}?5") == ""
    assert ask(db, "https://t/new", mode="unsubscribe") == ""


def test_topics_of_one_callback_are_bounded(db: Connection) -> None:
    fill(db, verification_queue.MOST_OF_CALLBACK, "https://t/one")
    assert "a callback may subscribe to at most 100" in ask(db, "https://t/one")
    assert ask(db, "https://t/two") == ""


def test_subscribers_of_one_host_are_bounded(db: Connection) -> None:
    fill(db, verification_queue.MOST_AT_HOST)
    assert "a host may have at most 1000" in ask(db, "https://t/new")
    assert ask(db, "https://other/", host="other") == ""


def test_subscriber_may_renew_when_the_limit_is_exceeded(db: Connection) -> None:
    fill(db, verification_queue.MOST_SUBSCRIBERS + 9)  # so many were verified at once
    assert ask(db, "https://t/5", topic=f"{TOPIC}?5") == ""


def test_requests_are_bounded_in_total_and_by_host(db: Connection) -> None:
    for number in range(verification_queue.MOST_PENDING):
        assert ask(db, f"https://t/{number}", host=f"h{number // 100}") == ""
    assert "too many" in ask(db, "https://t/new", host="another")


def test_log_keeps_the_last_lines(db: Connection) -> None:
    for number in range(3):
        lines = [
            Delivery(at=NOW, kind="push", topic=TOPIC, callback="https://t/", status=number)
            for _ in range(1_000)
        ]
        delivery_log.add(db, lines)
    kept = delivery_log.recent(db, 9_999)
    assert len(kept) == delivery_log.KEPT
    assert (kept[0].status, kept[-1].status) == (2, 1)
