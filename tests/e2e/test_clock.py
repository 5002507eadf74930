"""Sources are polled after clock jumps of years, during a run and after a restart."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from aggregator.config import file
from aggregator.ingest.maintenance import run_maintenance
from aggregator.models.config import Config, Defaults, Site
from aggregator.polling.scheduler import EverySecond, Scheduler
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from aggregator.web.feeds import documents
from tests.e2e.churn import Churn
from tests.e2e.service import Service
from tests.feedserver import FeedServer, Received, Step, response

YEARS = timedelta(days=3653)


class Clock:
    """The system's clock, which the test can set forward or back."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def scheduler(service: Service, clock: Clock) -> Iterator[None]:
    store = Store(str(service.database))
    made = Scheduler(
        store,
        lambda: file.load(str(service.config), {}),
        clock=clock,
        publications=documents.publications,
    )
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield
    finally:
        made.stop()
        thread.join()
        store.close()


def planned(service: Service) -> dict[str, datetime]:
    rows = service.rows("select id, next_poll_at from sources where polls")
    return {key: datetime.fromisoformat(at) for key, at in rows}


def all_within(service: Service, span: timedelta) -> bool:
    """Whether each source was polled, and is polled again from now in no more than `span`."""
    now, plans = datetime.now(UTC), planned(service)
    return len(plans) == service.one("select count(*) from sources") and all(
        now - timedelta(minutes=1) < at < now + span for at in plans.values()
    )


def sources(churn: Churn) -> list[dict[str, str]]:
    *rare, frequent = churn.sources(every="1h")
    return [*rare, frequent | {"every": "1s"}]


def test_a_running_scheduler_recovers_from_a_clock_that_was_wrong_by_years(
    service: Service, feed_server: FeedServer
) -> None:
    churn, clock = Churn(feed_server, 4), Clock()
    service.configure(sources(churn))
    with scheduler(service, clock):
        service.wait(service.polled)
        for jump in (YEARS, -YEARS):
            for ahead in (jump, timedelta(0)):
                clock.ahead = ahead
                service.wait_for_requests(feed_server, 2)
            service.wait(lambda: all_within(service, timedelta(hours=1.2)))
    assert service.entries() == churn.truth()
    service.assert_sound()


def test_a_scheduler_that_starts_after_a_wrong_clock_polls_normally(
    service: Service, feed_server: FeedServer
) -> None:
    churn, clock = Churn(feed_server, 4), Clock()
    service.configure(sources(churn))
    clock.ahead = YEARS
    with scheduler(service, clock):
        service.wait(service.polled)
    clock.ahead = timedelta(0)
    with scheduler(service, clock):
        service.wait(lambda: all_within(service, timedelta(hours=1.2)))
        service.wait_for_requests(feed_server, 2)


def test_a_retry_after_received_under_a_wrong_clock_is_obeyed_once(
    service: Service, feed_server: FeedServer
) -> None:
    churn, clock, limited = Churn(feed_server, 1), Clock(), True

    def behave(request: Received) -> Sequence[Step]:
        if limited:
            return [response(429, {"Retry-After": "2"})]
        return churn.feeds[0].behave(request)

    feed_server.on(churn.feeds[0].path, behave)
    service.configure(churn.sources(every="1s"))
    clock.ahead = YEARS
    with scheduler(service, clock):
        service.wait(service.polled)
        clock.ahead = timedelta(0)
        limited = False
        service.wait_for_requests(feed_server, 2)
        service.wait(lambda: all_within(service, timedelta(seconds=4)))
        gate = service.one("select gate_until from sources")
        assert datetime.fromisoformat(gate) < datetime.now(UTC)
        assert service.one("select sum(early) from hosts") == 0


def test_seconds_that_the_clock_skipped_are_not_iterated() -> None:
    now = datetime.now(UTC)
    assert EverySecond().get_next_fire_time(now, now + YEARS) > now + YEARS


def test_a_clock_ahead_by_years_deletes_nothing_on_its_first_night(
    service: Service, feed_server: FeedServer
) -> None:
    churn, now = Churn(feed_server, 2), datetime.now(UTC)
    defaults = Defaults(retention=timedelta(days=30))
    config = Config(path="", site=Site(), storage="", defaults=defaults)
    service.configure(churn.sources())
    service.run("poll")
    with closing(Store(str(service.database))) as store:
        with store.transaction() as db:
            entries.mark_left(db, range(1, 11), now)
        for night in (now, now + YEARS):
            run_maintenance(store, config, night, lambda: False)
        assert service.entries() == churn.truth()
        run_maintenance(store, config, now + YEARS + timedelta(days=1), lambda: False)
        assert service.entries() == {}
