"""Faults of a cluster: nothing is lost or duplicated, and limits of hosts are kept."""

import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

import aggregator
from aggregator.cluster.client import Cluster
from aggregator.models.config import Limits
from aggregator.models.poll import Failed, FailureKind, ParsedDocument, Request
from aggregator.polling.pipeline import FetchSettings
from aggregator.polling.poller import utc_now
from tests.e2e import processes
from tests.e2e.churn import Churn
from tests.e2e.service import AGGREGATOR, Running, Service, free_port, wait_for
from tests.feedserver import HOSTS, FeedServer, Received, Step

DASK = str(Path(sys.executable).with_name("dask"))
CONNECTIONS = 2


class Dask:
    """Dask's commands, as documented, on a free port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._running: list[Running] = []

    def scheduler(self) -> Running:
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard"]
        return self._start("scheduler", *options)

    def worker(self, *options: str, environ: dict[str, str] | None = None) -> Running:
        """Start a worker; without Dask's nanny, which would start it again, if not asked for."""
        options = ("--no-dashboard", "--nthreads", "1", *(options or ("--no-nanny",)))
        return self._start("worker", self.address, *options, environ=environ)

    def end(self) -> None:
        for running in self._running:
            running.end()

    def _start(self, *command: str, environ: dict[str, str] | None = None) -> Running:
        log = self._folder / f"dask-{len(self._running)}.txt"
        running = Running([DASK, *command], self._folder, log, environ=environ)
        self._running.append(running)
        return running


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    made = Dask(tmp_path)
    try:
        yield made
    finally:
        made.end()


def slowly(churn: Churn, server: FeedServer, seconds: float = 0.02) -> None:
    """Delay each response, so that simultaneous requests overlap."""
    for feed in churn.feeds:

        def behave(request: Received, feed=feed) -> Sequence[Step]:  # type: ignore[no-untyped-def]
            return [seconds, *feed.behave(request)]

        server.on(feed.path, behave)


def worker_process(worker: Running) -> int:
    """Return the worker process that a nanny started; 0 while there is none."""
    children = [p for p in processes.of_session(worker.pid) if p.parent == worker.pid]
    # With setproctitle installed, Dask names the process; without, it shows how it was spawned.
    names = ("spawn_main", "dask worker")
    workers = [p.pid for p in children if any(name in p.command for name in names)]
    return next(iter(workers), 0)


def ended(service: Service, churn: Churn) -> None:
    """Check the stored entries, and that no host had too many requests at once."""
    service.wait(lambda: service.entries() == churn.truth())
    service.assert_sound()
    assert service.rows("select id, error from sources where failures") == []


def test_killed_workers_lose_and_duplicate_nothing(
    service: Service, feed_server: FeedServer, dask: Dask, kills: int
) -> None:
    churn = Churn(feed_server, 40)
    slowly(churn, feed_server)
    service.configure(churn.sources(every="1s"))
    dask.scheduler()
    workers = [dask.worker("--nanny") for _ in range(2)]
    service.start("scheduler", "--cluster", dask.address)
    service.wait(service.polled)
    with churn.going(every=0.2):
        for _ in range(kills // 3):
            victim = partial(worker_process, random.choice(workers))
            os.kill(service.wait(victim), signal.SIGKILL)
            service.wait_for_requests(feed_server, random.randrange(1, 40))
    ended(service, churn)
    assert max(feed_server.peak.values()) <= CONNECTIONS


def test_a_killed_and_restarted_scheduler_keeps_the_limits_of_hosts(
    service: Service, feed_server: FeedServer, dask: Dask, kills: int
) -> None:
    churn = Churn(feed_server, 24)
    slowly(churn, feed_server, 0.2)
    service.configure(churn.sources(every="1s"))
    dask.scheduler()
    dask.worker()
    dask.worker()
    with churn.going(every=0.2):
        for _ in range(kills // 3):
            scheduler = service.start("scheduler", "--cluster", dask.address)
            service.wait_for_requests(feed_server, random.randrange(1, 24))
            scheduler.send(signal.SIGKILL)
            assert scheduler.wait() == -signal.SIGKILL
        scheduler = service.start("scheduler", "--cluster", dask.address)
        service.wait(service.polled)
    ended(service, churn)
    assert max(feed_server.peak.values()) <= CONNECTIONS
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0


def shortage(service: Service) -> str:
    return str(service.one("select max(value) from facts where name = 'shortage'"))


def test_without_workers_or_without_dask_the_pages_say_so_and_polling_resumes(
    service: Service, feed_server: FeedServer, dask: Dask
) -> None:
    churn = Churn(feed_server, 20)
    service.configure(churn.sources(every="1s"))
    service.start("scheduler", "--cluster", dask.address)
    service.wait(lambda: "can't reach" in shortage(service))
    carrier, worker = dask.scheduler(), dask.worker()
    service.wait(service.polled)
    assert shortage(service) == ""
    worker.send(signal.SIGTERM)
    service.wait(lambda: "has no worker" in shortage(service))
    churn.tick()
    dask.worker()
    ended(service, churn)
    carrier.send(signal.SIGKILL)
    service.wait(lambda: "can't reach" in shortage(service))
    churn.tick()
    dask.scheduler()
    dask.worker()
    ended(service, churn)


def test_a_worker_with_another_version_gets_no_work(
    service: Service, feed_server: FeedServer, dask: Dask, tmp_path: Path
) -> None:
    other = tmp_path / "sitecustomize.py"
    other.write_text("import aggregator\naggregator.__version__ = '9.9.9'\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    churn = Churn(feed_server, 4)
    service.configure(churn.sources(every="1s"))
    dask.scheduler()
    dask.worker(environ={"PYTHONPATH": path.strip(os.pathsep)})
    service.start("scheduler", "--cluster", dask.address)
    service.wait(lambda: "runs version 9.9.9 of the aggregator" in shortage(service))
    assert f"the scheduler {aggregator.__version__}" in shortage(service)
    assert feed_server.requests == []
    dask.worker()
    ended(service, churn)


def test_a_suspended_worker_loses_its_batch_and_gets_none_until_it_resumes(
    feed_server: FeedServer, dask: Dask
) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss version='2.0'><channel/></rss>", delay=0.5)
    request = Request(
        source_id="a", url=feed_server.url("/feed"), limits=Limits(total=0.8, parse=0.02)
    )
    dask.scheduler()
    worker = dask.worker()
    fetch_settings = FetchSettings(user_agent="test", allow=HOSTS)
    cluster = Cluster(fetch_settings, address=dask.address, clock=utc_now, lease=3)
    try:
        wait_for(lambda: cluster.capacity)
        cluster.add([request], spacing={})
        assert cluster.step() == []
        wait_for(lambda: feed_server.requests)
        worker.send(signal.SIGSTOP)
        [late] = wait_for(cluster.step)
        assert isinstance(late.outcome, Failed)
        assert late.outcome.kind is FailureKind.CANCELLED
        assert cluster.capacity == 0
        worker.send(signal.SIGCONT)
        wait_for(lambda: cluster.capacity)
        cluster.add([request], spacing={})
        [result] = wait_for(cluster.step)
        assert isinstance(result.outcome, ParsedDocument)
    finally:
        cluster.close()


def test_feeds_that_redirect_to_one_host_are_polled_one_batch_at_a_time(
    service: Service, feed_server: FeedServer, dask: Dask
) -> None:
    churn = Churn(feed_server, 30)
    slowly(churn, feed_server, 0.05)
    for feed in churn.feeds:
        feed_server.redirect(f"/to{feed.path}", feed_server.url(feed.path, HOSTS[3]), 302)
    service.configure(
        [
            {"id": feed.id, "url": feed_server.url(f"/to{feed.path}", HOSTS[feed.number % 3])}
            for feed in churn.feeds
        ]
    )
    dask.scheduler()
    dask.worker()
    dask.worker()
    service.start("scheduler", "--cluster", dask.address)
    service.wait(service.polled)
    ended(service, churn)
    assert feed_server.peak[HOSTS[3]] <= CONNECTIONS


def test_without_dask_or_with_a_bad_address_the_error_says_what_to_do(
    service: Service, tmp_path: Path
) -> None:
    service.configure([])
    assert service.run("scheduler", "--cluster", "10.0.0.1").returncode == 2
    (tmp_path / "without").mkdir()
    missing = "raise ModuleNotFoundError('No module', name='distributed')"
    (tmp_path / "without" / "distributed.py").write_text(missing)
    path = os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")])
    command = [*AGGREGATOR, "--config", str(service.config), "scheduler", "--cluster", "local:1"]
    running = Running(
        command, tmp_path, tmp_path / "log", environ={"PYTHONPATH": path.strip(os.pathsep)}
    )
    assert running.wait() == 2
    assert "pip install 'feed-aggregator[cluster]'" in running.log
