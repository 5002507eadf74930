"""The command healthcheck: 0 for a service that works, else 1 and why."""

import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.main import main
from aggregator.policy.health import MAX_TICK_AGE
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from tests.e2e.service import free_port
from tests.feedserver import FeedServer


def healthcheck(*args: str, config: Sequence[str] = ()) -> Result:
    return CliRunner().invoke(main, [*config, "healthcheck", *args])


def result(server: FeedServer, *args: str) -> tuple[int, str]:
    found = healthcheck(*args, "--port", str(server.port))
    return found.exit_code, found.output


def test_a_service_must_answer_and_poll(feed_server: FeedServer) -> None:
    feed_server.reply("/readyz", 200, {}, b"ready\n")
    assert result(feed_server) == (0, "ready\n")
    feed_server.reply("/readyz", 503, {}, b"the scheduler is not running: never seen\n")
    assert result(feed_server) == (1, "the scheduler is not running: never seen\n")


def test_a_web_server_must_answer(feed_server: FeedServer) -> None:
    feed_server.reply("/healthz", 200, {}, b"ok\n")
    assert result(feed_server, "web") == (0, "ok\n")
    assert feed_server.paths() == ["/healthz"]


def test_nothing_answers() -> None:
    found = healthcheck("--port", str(free_port()))
    assert found.exit_code == 1
    assert "no web server answers" in found.output


def test_what_answers_is_not_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection = server.accept()[0]
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        found = healthcheck("--port", str(server.getsockname()[1]))
        thread.join()
    assert found.exit_code == 1
    assert "no web server answers" in found.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(f"storage: {{path: {tmp_path}/news.db}}\nsources: []\n")
    return path


def scheduler(config: Path) -> tuple[int, str]:
    found = healthcheck("scheduler", config=("--config", str(config)))
    return found.exit_code, found.output


def report(config: Path, *, age: timedelta, unavailable_reason: str = "") -> None:
    store = Store(str(config.with_name("news.db")))
    with store.transaction() as db:
        metadata.put(db, "tick", format_time(datetime.now(UTC) - age))
        metadata.put(db, "shortage", unavailable_reason)
    store.close()


def test_a_scheduler_without_a_database_is_not_well_and_none_is_made(config: Path) -> None:
    code, text = scheduler(config)
    assert code == 1
    assert "there is no database yet" in text
    assert not config.with_name("news.db").exists()


def test_a_scheduler_must_have_reported_lately(config: Path) -> None:
    report(config, age=timedelta(0))
    assert scheduler(config) == (0, "ready\n")
    report(config, age=MAX_TICK_AGE)
    code, text = scheduler(config)
    assert code == 1
    assert "the scheduler is not running: last seen at 2" in text


def test_a_paused_scheduler_is_not_well(config: Path) -> None:
    report(config, age=timedelta(0), unavailable_reason="the disk is full")
    assert scheduler(config) == (1, "polling is paused: the disk is full\n")
