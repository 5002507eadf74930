"""kill -9 at any moment, of any process: nothing is lost and nothing is stored twice."""

import os
import random
import signal
import time
from datetime import UTC, datetime

from tests.e2e import processes
from tests.e2e.churn import Churn, Item
from tests.e2e.service import Running, Service
from tests.feedserver import FeedServer


def test_kill_9_of_the_scheduler_while_feeds_publish_loses_and_doubles_nothing(
    service: Service, feed_server: FeedServer, kills: int
) -> None:
    churn = Churn(feed_server, 10 * kills)
    service.configure(churn.sources(every="1s"))
    with churn.going(every=0.2):
        for _ in range(kills):
            scheduler = service.start("scheduler")
            service.wait_for_requests(feed_server, random.randrange(1, 10 * kills))
            time.sleep(random.uniform(0, 0.5))  # into parse and transaction, at random
            scheduler.send(signal.SIGKILL)
            assert scheduler.wait() == -signal.SIGKILL
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    service.assert_sound()


def busy_child(scheduler: Running) -> int:
    """The child that is using the processor, 0 when none is."""
    before = {child.pid: child.ticks for child in processes.children_that_read(scheduler.pid)}
    time.sleep(0.03)
    after = processes.children_that_read(scheduler.pid)
    busy = [c.pid for c in after if c.ticks > before.get(c.pid, c.ticks)]
    return busy[0] if busy else 0


def test_kill_9_of_a_child_that_reads_has_its_documents_read_again_and_not_fetched_again(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 60, items=40)
    service.configure(churn.sources(every="1h"))
    scheduler = service.start("scheduler")
    os.kill(service.wait(lambda: busy_child(scheduler)), signal.SIGKILL)
    service.wait(service.polled)
    # One that the child had to itself is blamed, and polled again later; see the next test.
    alone = [row[0] for row in service.rows("select id from sources where failures")]
    assert len(alone) <= 1
    if alone:
        service.run("poll", *alone)
        service.wait(lambda: not service.rows("select id from sources where failures"))
    assert service.entries() == churn.truth()
    asked = sorted([feed.path for feed in churn.feeds] + [f"/{name}" for name in alone])
    assert sorted(feed_server.paths()) == asked
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
    service.assert_sound()


def test_a_document_that_costs_its_child_the_life_fails_alone_and_is_tried_again_later(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 6)
    large, now = churn.feeds[0], datetime.now(UTC)
    large.items += [Item(number, "One of many", now) for number in range(100, 8_000)]
    large.window = 8_000
    large.publish(now)
    service.configure(churn.sources(every="1h"))
    scheduler = service.start("scheduler")
    service.wait(lambda: service.polled(*(feed.id for feed in churn.feeds[1:])))
    os.kill(service.wait(lambda: busy_child(scheduler)), signal.SIGKILL)
    service.wait(lambda: service.polled(large.id))
    [(kind, words)] = service.rows("select error_kind, error from sources where failures")
    assert kind == "parse"
    assert "the process that read it died" in words
    assert service.run("poll", large.id).returncode == 0
    service.wait(lambda: service.one("select count(*) from entries") > 7_900)


def test_the_scheduler_makes_itself_new_children_when_all_were_killed_at_rest(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 8)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(service.polled)
    for process in processes.of_session(scheduler.pid):
        if process.pid != scheduler.pid:  # the fork server too
            os.kill(process.pid, signal.SIGKILL)
    for feed in churn.feeds:
        feed.publish(datetime.now(UTC))
    service.wait(lambda: service.entries() == churn.truth())
    assert service.rows("select id from sources where failures") == []
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
