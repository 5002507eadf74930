"""Starting, reconfiguring and stopping the service."""

import os
import signal
import time
from datetime import UTC, datetime
from functools import partial

import pytest

from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service
from tests.feedserver import FeedServer


def shows_mistake(service: Service, where: str) -> bool:
    """Whether the status page shows this mistake of the configuration; "" for none."""
    words = service.one("select value from facts where name = 'config_error'")
    return bool(words.startswith(where) if where else not words)


def test_a_second_scheduler_is_refused_and_a_forced_poll_goes_to_the_first(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 5)
    service.configure(churn.sources(every="1h"))
    first = service.start("scheduler")
    service.wait(service.polled)

    second = service.run("scheduler")
    assert second.returncode == 2
    assert f"{service.database}: another scheduler (process {first.pid})" in second.stdout
    assert service.run("poll").returncode == 2

    handed = service.run("poll", "--force")
    assert handed.returncode == 0
    assert f"Left to the running scheduler: {service.database}: another scheduler" in handed.stdout
    service.wait(lambda: service.rows("select min(polls) from sources") == [(2,)])
    assert len(feed_server.requests) == 2 * len(churn.feeds)
    assert first.alive


def test_a_restart_polls_nothing_that_is_not_due(service: Service, feed_server: FeedServer) -> None:
    churn = Churn(feed_server, 10)
    *rare, frequent = churn.sources(every="1h")
    service.configure([*rare, frequent | {"every": "1s"}])
    for _ in range(2):
        scheduler = service.start("scheduler")
        service.wait_for_requests(feed_server, 1)
        service.wait(service.polled)
        service.wait_for_requests(feed_server, 2)
        scheduler.send(signal.SIGTERM)
        assert scheduler.wait() == 0
    for feed in churn.feeds[:-1]:
        assert feed_server.paths().count(feed.path) == 1


# --- reload ------------------------------------------------------------------------------------


def test_new_rules_apply_to_stored_entries(service: Service, feed_server: FeedServer) -> None:
    churn = Churn(feed_server, 2)
    for feed in churn.feeds:
        feed.publish(datetime.now(UTC))
    plain = churn.sources(every="1h")
    service.configure(plain)
    service.start("scheduler")
    service.wait(service.polled)
    shown = "select count(*) from entries where hidden is null"
    before = service.one(shown)
    assert before

    service.configure([source | {"drop": [{"title": "."}]} for source in plain])
    service.wait(lambda: service.one(shown) == 0)
    service.configure(plain)
    service.wait(lambda: service.one(shown) == before)


BROKEN = [
    ("sources:\n- {id: loop\n- {id: pool}\n", 2),
    ("sources:\n- {id: loop, url: 'http://a/', evry: 1s}\n", 2),
    ("sources:\n- {id: loop, url: 'http://a/'}\n- {id: loop, url: 'http://b/'}\n", 3),
    ("", 1),
]


def test_a_broken_configuration_is_ignored_and_a_valid_one_is_used_at_once(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 4)
    stays, moves, goes, comes = churn.sources(every="1s")
    service.configure([stays, moves, goes])
    scheduler = service.start("scheduler")
    service.wait(service.polled)

    for (text, line), by_signal in zip(BROKEN, [True, False, True, False], strict=True):
        before = service.config.stat()
        service.config.write_text(text)
        if by_signal:
            os.utime(service.config, ns=(before.st_atime_ns, before.st_mtime_ns))
            scheduler.send(signal.SIGHUP)
        service.wait(partial(shows_mistake, service, f"{service.config}:{line}:"))
        assert service.rows("select id from sources where not configured") == []
    service.wait_for_requests(feed_server, 4)

    moved = moves | {"url": feed_server.url("/feed-1/moved")}
    feed_server.on("/feed-1/moved", churn.feeds[1].behave)
    known = service.rows("select id, url from entries where source_id = 'feed-1'")
    states = set()
    service.configure([stays, moved, comes])

    def changed() -> bool:
        rows = service.rows("select id, url from sources where configured order by id")
        states.add(tuple(rows))
        return shows_mistake(service, "") and service.polled("feed-0", "feed-1", "feed-3")

    service.wait(changed)
    assert states == {
        tuple((source["id"], source["url"]) for source in sources)
        for sources in ([stays, moves, goes], [stays, moved, comes])
    }
    service.wait(lambda: "/feed-1/moved" in feed_server.paths())
    last = feed_server.paths().count("/feed-2")
    service.wait(lambda: feed_server.paths().count("/feed-1/moved") > 2)
    assert feed_server.paths().count("/feed-2") <= last + 1  # one may have been under way
    assert service.entries() == churn.truth()
    assert service.rows("select id, url from entries where source_id = 'feed-1'") == known
    assert scheduler.alive


# --- the end -----------------------------------------------------------------------------------


def hanging(service: Service, server: FeedServer, *command: str) -> Running:
    """Start a command with feeds that never answer, and wait until it requests them."""
    churn = Churn(server, 10)
    silent = [f"/silent-{number}" for number in range(6)]
    for path in silent:
        server.script(path, 300.0)
    asleep = [{"id": path[1:], "url": server.url(path, "127.0.0.4")} for path in silent]
    service.configure(churn.sources(every="1s") + asleep)
    running = service.start(*command)
    service.wait(lambda: set(silent) & set(server.paths()))
    service.wait(lambda: service.polled(*(feed.id for feed in churn.feeds)))
    return running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_scheduler_stops_cleanly_while_feeds_hang(
    service: Service, feed_server: FeedServer, number: signal.Signals
) -> None:
    scheduler = hanging(service, feed_server, "scheduler")
    if number is signal.SIGINT:
        scheduler.send_to_all(number)  # as Ctrl-C does
    else:
        scheduler.send(number)
    begun = time.monotonic()
    assert scheduler.wait() == 0
    assert time.monotonic() - begun < 15
    assert "Traceback" not in scheduler.log
    assert service.rows("select polls from sources where id like 'silent%'") == [(0,)] * 6
    service.assert_sound()


def test_ctrl_c_ends_a_round_and_keeps_the_entries_received(
    service: Service, feed_server: FeedServer
) -> None:
    poll = hanging(service, feed_server, "poll")
    poll.send_to_all(signal.SIGINT)
    assert poll.wait() == 1
    assert "Aborted!" in poll.log
    assert "Traceback" not in poll.log
    service.assert_sound()
