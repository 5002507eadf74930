"""The service in this process: its scheduler in a thread, its pages on a port."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from aggregator.config import file
from aggregator.ingest.maintenance import synchronise
from aggregator.models.config import Config
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.store.sources import poll_log, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import delivery_log, subscribers, subscriptions
from aggregator.store.websub.delivery_log import Delivery
from aggregator.store.websub.subscribers import Subscriber
from aggregator.store.websub.subscriptions import Subscription
from aggregator.web.app import create_app
from aggregator.web.feeds import documents
from aggregator.websub.worker import DeliveryWorker, Pauses
from tests.e2e.service import wait_for

PAUSES = Pauses(look=0.02, reconcile=0.1, settle=0.02, fault=0.5)
"""Short intervals, so that tests do not wait."""


@contextmanager
def at_work(worker: DeliveryWorker) -> Iterator[None]:
    """Run a worker in a thread."""
    stopping = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@dataclass
class Ours:
    """A scheduler and a web server on one store; `ahead` sets the clock of both forward."""

    folder: Path
    base: str = ""
    ahead: timedelta = timedelta(0)
    worker: DeliveryWorker | None = None

    def __post_init__(self) -> None:
        self.path = self.folder / "sources.yaml"
        self.store = Store(str(self.folder / "news.db"))

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def configure(self, urls: dict[str, str], **more: Any) -> None:
        """Configure sources by id; they are polled once an hour, so that entries arrive by push."""
        site = {"base_url": self.base}
        config = {
            "site": site,
            "storage": {"path": self.store.path},
            "network": {"allow": ["127.0.0.0/8"]},
            "media": {"icons": False},
            "defaults": {"every": "1h"},
            "sections": [{"id": "world", "title": "World"}],
            "sources": [{"id": id, "url": url, "sections": ["world"]} for id, url in urls.items()],
        } | more
        temporary = self.folder / "new.yaml"
        temporary.write_text(json.dumps(config))
        temporary.replace(self.path)
        if self.worker:
            self._obey(self.worker)

    def config(self) -> Config:
        return file.load(str(self.path), {})

    @contextmanager
    def scheduling(self) -> Iterator[Scheduler]:
        """Run a new scheduler."""
        scheduler = Scheduler(
            self.store,
            self.config,
            clock=self.clock,
            publications=documents.publications,
            delivery_worker=partial(DeliveryWorker, pauses=PAUSES),
        )
        thread = threading.Thread(target=scheduler.run)
        thread.start()
        try:
            yield scheduler
        finally:
            scheduler.stop()
            thread.join()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run the delivery worker alone, which is the hub; nothing is polled."""
        self.worker = DeliveryWorker(
            self.store,
            self.config(),
            documents.publications(self.store, self.clock),
            clock=self.clock,
            pauses=PAUSES,
        )
        self._obey(self.worker)
        try:
            with at_work(self.worker):
                yield
        finally:
            self.worker = None

    def _obey(self, worker: DeliveryWorker) -> None:
        synchronise(self.store, self.config(), self.clock())
        worker.reconfigure(self.config())

    # --- what it knows -------------------------------------------------------------------------

    def links(self) -> list[str]:
        """The links of all entries, with duplicates."""
        with self.store.reading() as db:
            return [row[0] for row in db.execute("select url from entries order by url")]

    def titles(self) -> list[str]:
        with self.store.reading() as db:
            return [row[0] for row in db.execute("select title from entries order by url")]

    def source(self, id: str) -> SourceState:
        with self.store.reading() as db:
            found = sources.get(db, id)
        assert found is not None
        return found

    def subscriptions(self, source_id: str = "") -> list[Subscription]:
        with self.store.reading() as db:
            return subscriptions.all_of(db, source_id)

    def subscription(self, source_id: str, state: str = "") -> Subscription:
        """The one subscription of a source, or the one in a state, as soon as there is one."""

        def found() -> list[Subscription]:
            return [s for s in self.subscriptions(source_id) if state in ("", s.state)]

        [one] = wait_for(found)
        return one

    def polls(self, source_id: str) -> list[str]:
        with self.store.reading() as db:
            return [row.outcome for row in poll_log.recent(db, source_id)]

    def subscribers(self) -> list[Subscriber]:
        with self.store.reading() as db:
            return subscribers.by_failures(db, 1_000)

    def deliveries(self) -> list[Delivery]:
        with self.store.reading() as db:
            return delivery_log.recent(db, 1_000)

    def waiting(self) -> int:
        with self.store.reading() as db:
            return int(db.execute("select count(*) from inbox").fetchone()[0])


@contextmanager
def running(folder: Path) -> Iterator[Ours]:
    """Serve the pages of a new store; the scheduler is started by the test."""
    folder.mkdir(exist_ok=True)
    ours = Ours(folder)
    ours.configure({})
    config: list[tuple[int, Config]] = []

    def current() -> Config:
        modified = ours.path.stat().st_mtime_ns
        if not config or config[0][0] != modified:
            config[:] = [(modified, ours.config())]
        return config[0][1]

    ours.base = "http://127.0.0.1:1"
    ours.configure({})
    app = create_app(current, ours.store, clock=ours.clock)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    ours.base = f"http://127.0.0.1:{server.server_port}"
    ours.configure({})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield ours
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        ours.store.close()
