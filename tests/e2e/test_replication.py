"""Replication by Litestream: the machine dies, and a new one goes on from the replica."""

import shutil
import signal
import sys
from functools import partial
from pathlib import Path

from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service
from tests.feedserver import FeedServer

DEPLOY = Path(__file__).parents[2] / "config" / "deploy"
LITESTREAM = Path(sys.executable).with_name("litestream")


def litestream(service: Service, name: str, *command: str | Path) -> Running:
    """Run Litestream with the configuration of the compose file, on the service's database."""
    config = service.folder / "litestream.yml"
    text = (DEPLOY / "litestream.yml").read_text()
    config.write_text(text.replace("/data/aggregator.db", str(service.database)))
    words = [str(LITESTREAM), str(command[0]), "-config", str(config), *map(str, command[1:])]
    environ = {"REPLICA": f"file://{service.folder}/replica"}
    return Running(words, service.folder, service.folder / f"{name}.txt", environ=environ)


def restored(service: Service, name: str) -> Path:
    """Restore the replica into a file beside the database; return its path."""
    copy = service.folder / f"{name}.db"
    running = litestream(service, name, "restore", "-o", copy, service.database)
    assert running.wait() == 0, running.log
    return copy


def has_entries(service: Service) -> bool:
    return bool(service.one("select count(*) from entries"))


def test_a_lost_machine_is_restored_from_the_replica(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 10)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(partial(has_entries, service))
    replicating = litestream(service, "replicate", "replicate")
    try:
        with churn.going(every=0.2):
            service.wait(lambda: list((service.folder / "replica").rglob("*.ltx")))
            service.wait_for_requests(feed_server, 40)
        for running in (scheduler, replicating):
            running.send_to_all(signal.SIGKILL)
            running.wait()
    finally:
        replicating.end()
    shutil.rmtree(service.database.parent)
    service.database.parent.mkdir()

    restored(service, "restored").replace(service.database)
    assert has_entries(service)
    service.assert_sound()
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    service.assert_sound()
