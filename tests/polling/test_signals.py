"""A signal that interrupts the handler of another one does not block the scheduler."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from aggregator.config import file
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.web.feeds import documents


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    config = file.parse(f"storage: {{path: {tmp_path}/news.db}}\n", "x.yaml", {})
    store = Store(config.storage)
    scheduler = Scheduler(store, lambda: config, publications=documents.publications)
    yield scheduler
    scheduler.stop()
    scheduler.run()
    store.close()


def interrupted_at_each_line(handler: Callable[[], None]) -> None:
    """Call a signal handler, and interrupt every line of it by the same handler."""

    def trace(_frame: FrameType, _event: str, _arg: object) -> Any:
        sys.settrace(None)
        handler()
        sys.settrace(trace)
        return trace

    def blocked(_signal: int, _frame: FrameType | None) -> None:
        sys.settrace(None)
        raise AssertionError("the second call waits for the first one")

    tracer, before = sys.gettrace(), signal.signal(signal.SIGALRM, blocked)
    signal.alarm(5)
    sys.settrace(trace)
    try:
        handler()
    finally:
        sys.settrace(tracer)  # of a run that measures coverage
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", ["stop", "reload"])
def test_a_handler_can_interrupt_itself(scheduler: Scheduler, name: str) -> None:
    interrupted_at_each_line(getattr(scheduler, name))
