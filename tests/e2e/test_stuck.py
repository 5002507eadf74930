"""A stuck poll loop is not reported as alive, even if the rest of the process works."""

import logging
import threading
from contextlib import closing

import pytest

from aggregator.config import file
from aggregator.models.poll import Result
from aggregator.polling.pipeline import Pipeline
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.web.feeds import documents
from tests.e2e.service import Service

PATIENCE = 1.0
TICK = "select value from facts where name = 'tick'"


def test_a_stuck_loop_is_not_reported_as_alive(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def complaints() -> list[str]:
        said = [record.getMessage() for record in caplog.records]
        return [words for words in said if words.startswith("event=loop_stuck")]

    caplog.set_level(logging.ERROR, logger="aggregator")
    free = threading.Event()
    free.set()

    class Halting(Pipeline):
        def step(self) -> list[Result]:
            free.wait()
            return super().step()

    service.configure([])
    with closing(Store(str(service.database))) as store:
        made = Scheduler(
            store,
            lambda: file.load(str(service.config), {}),
            executor=Halting,
            publications=documents.publications,
            stall_timeout=PATIENCE,
        )
        thread = threading.Thread(target=made.run)
        thread.start()
        try:
            service.wait(lambda: service.rows(TICK))
            free.clear()
            service.wait(complaints)
            stuck = service.one(TICK)
            threading.Event().wait(6)  # a tick is told each five seconds
            assert service.one(TICK) == stuck
            assert len(complaints()) == 1
            free.set()
            service.wait(lambda: service.one(TICK) != stuck)
        finally:
            free.set()
            made.stop()
            thread.join()
