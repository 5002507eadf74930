"""kill -9 of any process at any time: nothing is lost and nothing is stored twice."""

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import pytest

from tests.e2e import processes
from tests.e2e.churn import Churn, Item
from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer


def scheduler_process(running: Running) -> list[int]:
    return [running.pid]


def web_server(running: Running) -> list[int]:
    children = [p for p in processes.of_session(running.pid) if p.parent == running.pid]
    return [p.pid for p in children if " web " in p.command or "granian" in p.command]


def web_worker(running: Running) -> list[int]:
    servers = web_server(running)
    children = [p for p in processes.of_session(running.pid) if p.parent in servers]
    return [p.pid for p in children if "resource_tracker" not in p.command]


def parent_of_parsers(running: Running) -> list[int]:
    return [process.pid for process in processes.parents_of_parsers(running.pid)]


def parser(running: Running) -> list[int]:
    return [process.pid for process in processes.children_that_read(running.pid)]


KINDS = (scheduler_process, parser, web_worker, parent_of_parsers, web_server)


def test_kill_9_of_any_process_loses_and_duplicates_nothing(
    service: Service, feed_server: FeedServer, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    churn = Churn(feed_server, 40)
    service.configure(churn.sources(every="1s"))  # no ttl, no max-age: every round polls each feed
    command = ("run", "--port", str(free_port()))
    running, killed = service.start(*command), Counter[str]()
    with churn.going(every=0.3):
        for number in range(kills):
            kind = KINDS[number % len(KINDS)]
            service.wait_for_requests(feed_server, random.randrange(1, len(churn.feeds)))
            pids = service.wait(partial(kind, running))
            time.sleep(random.uniform(0, 0.3))  # into fetch, parse and transaction, at random
            with contextlib.suppress(ProcessLookupError):  # a parser ends after some tasks
                os.kill(random.choice(pids), signal.SIGKILL)
                killed[kind.__name__] += 1
            if kind is scheduler_process:
                assert running.wait() == -signal.SIGKILL
                running = service.start(*command)  # as systemd does
            before = len(feed_server.requests)
            service.wait(partial(polled_since, churn, feed_server, before))
            service.entries()  # none is stored twice
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert service.run("poll", "--force").returncode == 0
    stored, truth = service.entries(), churn.truth()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{killed.total()} kills ({dict(killed)}): {len(truth)} feeds,"
            f" {sum(map(len, truth.values()))} entries published,"
            f" {sum(len(truth[key].keys() - stored.get(key, {})) for key in truth)} lost,"
            f" {service.one('select count(*) from entries') - sum(map(len, truth.values()))}"
            " too many\n"
        )
    assert stored == truth
    service.assert_sound()


def polled_since(churn: Churn, server: FeedServer, count: int) -> bool:
    """Whether each feed was requested after the first `count` requests."""
    return set(server.paths()[count:]) >= {feed.path for feed in churn.feeds}


def busy_child(scheduler: Running) -> int:
    """The child that is using the processor, 0 when none is."""
    before = {child.pid: child.ticks for child in processes.children_that_read(scheduler.pid)}
    time.sleep(0.03)
    after = processes.children_that_read(scheduler.pid)
    busy = [c.pid for c in after if c.ticks > before.get(c.pid, c.ticks)]
    return busy[0] if busy else 0


def test_after_kill_9_of_a_parser_its_documents_are_parsed_again_and_not_fetched_again(
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


def test_a_document_that_kills_its_parser_fails_alone_and_is_retried_later(
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
    assert "the parser process died" in words
    assert service.run("poll", large.id).returncode == 0
    service.wait(lambda: service.one("select count(*) from entries") > 7_900)


def test_the_scheduler_replaces_parsers_that_were_killed_while_idle(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 8)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(service.polled)
    for process in processes.of_session(scheduler.pid):
        if process.pid != scheduler.pid:  # the parent of parsers too
            os.kill(process.pid, signal.SIGKILL)
    for feed in churn.feeds:
        feed.publish(datetime.now(UTC))
    service.wait(lambda: service.entries() == churn.truth())
    assert service.rows("select id from sources where failures") == []
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
