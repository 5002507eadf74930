"""The delivery worker survives a missing database and a fault, and serves many topics."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.models.config import Config, Site
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.websub import published_topics, subscribers
from aggregator.store.websub.verification_queue import PendingSubscription
from aggregator.websub.hub import BODIES_KEPT
from aggregator.websub.publications import Publications, Rendered
from aggregator.websub.worker import DeliveryWorker
from tests.e2e.service import wait_for
from tests.feedserver import FeedServer, Received
from tests.websub.ours import PAUSES, at_work
from tests.websub.peers import echo

CONFIG = Config(
    path="", site=Site(base_url="http://127.0.0.1:8000"), storage="", allow=("127.0.0.0/8",)
)


class WorkerSetup:
    """A delivery worker with its store, rendered topics, and a subscriber on a server."""

    def __init__(self, store: Store, server: FeedServer) -> None:
        self.store, self.server = store, server
        self.text = "first"
        self.rendered: list[str] = []
        self.fault = ""
        server.on("/cb", echo)

    def _render(self, topic: str, _: Config) -> Rendered:
        self.rendered.append(topic)
        if self.fault:
            raise RuntimeError(self.fault)
        with self.store.reading() as db:
            versions = {change_log.ALL: change_log.version(db)}
        body = f"{topic} {self.text}".encode()
        return Rendered(body=body, content_type="text/plain", versions=versions)

    @contextmanager
    def working(self) -> Iterator[None]:
        publications = Publications(render=self._render, touched=lambda _scopes, _config: [])
        worker = DeliveryWorker(
            self.store, CONFIG, publications, clock=lambda: datetime.now(UTC), pauses=PAUSES
        )
        with at_work(worker):
            yield

    def subscribe(self, topic: str) -> None:
        """Add the server as a verified subscriber of a known topic."""
        pending = PendingSubscription(
            id=0,
            topic=topic,
            callback=self.server.url(f"/cb?{topic}"),
            mode="subscribe",
            secret="",
            lease=timedelta(days=1),
            attempts=0,
        )
        with self.store.transaction() as db:
            published_topics.add(db, topic, "what was told before")
            subscribers.add(db, pending, "127.0.0.1", 0, datetime.now(UTC))

    def change(self, text: str) -> None:
        self.text = text
        with self.store.transaction() as db:
            change_log.bump(db, [change_log.ALL], datetime.now(UTC))

    def pushed(self, text: str) -> list[Received]:
        return [one for one in self.server.requests if one.body.endswith(text.encode())]


@pytest.fixture
def setup(tmp_path: Path, feed_server: FeedServer) -> Iterator[WorkerSetup]:
    store = Store(str(tmp_path / "test.db"), busy_seconds=0.1)
    yield WorkerSetup(store, feed_server)
    store.close()


def test_more_topics_than_fit_in_memory_are_all_pushed(setup: WorkerSetup) -> None:
    topics = [f"topic-{number}" for number in range(BODIES_KEPT + 5)]
    for topic in topics:
        setup.subscribe(topic)
    with setup.working():
        wait_for(lambda: len(setup.pushed("first")) == len(topics))
        setup.change("second")
        wait_for(lambda: len(setup.pushed("second")) == len(topics))
    assert {one.path for one in setup.pushed("second")} == {f"/cb?{topic}" for topic in topics}


def test_topic_is_rendered_once_for_a_change(setup: WorkerSetup) -> None:
    setup.subscribe("topic")
    with setup.working():
        wait_for(lambda: setup.pushed("first"))
        setup.change("second")
        wait_for(lambda: setup.pushed("second"))
    assert setup.rendered == ["topic", "topic"]


def logged(caplog: pytest.LogCaptureFixture, words: str) -> Callable[[], list[str]]:
    # A command that was run in this process may have silenced the logger.
    caplog.set_level(logging.ERROR, logger="aggregator")
    return lambda: [
        record.getMessage() for record in caplog.records if words in record.getMessage()
    ]


def test_locked_database_is_waited_for_and_logged_once(
    setup: WorkerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.subscribe("topic")
    complaints = logged(caplog, "store_failed")
    with closing(sqlite3.connect(setup.store.path)) as other:
        other.execute("begin immediate")
        with setup.working():
            wait_for(complaints)
            assert setup.server.requests == []
            other.rollback()
            wait_for(lambda: setup.pushed("first"))
    assert len(complaints()) == 1


def test_exception_is_logged_and_survived(
    setup: WorkerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.subscribe("topic")
    setup.fault = "a mistake"
    with setup.working(), caplog.at_level(logging.ERROR):
        wait_for(logged(caplog, "websub_worker_failed"))
        setup.fault = ""
        wait_for(lambda: setup.pushed("first"))
