"""Parser processes are bounded in memory and print nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pebble import ProcessPool

from aggregator.models.config import Limits
from aggregator.models.poll import Fetched, Request
from aggregator.polling import parser_pool
from aggregator.polling.stages import Body

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
RSS = b"<rss version='2.0'><channel><title>t</title><item><guid>1</guid></item></channel></rss>"


def body(limit: int) -> Body:
    url = "https://a.example/"
    request = Request(source_id="a", url=url, limits=Limits(body=limit))
    return Body(request=request, fetched=Fetched(url=url, body=RSS, content_type=""), body_hash=b"")


def allocate(limit: int, size: int) -> bool:
    """Parse a document in this process, then return whether more memory can be had."""
    parser_pool.read_in_child([body(limit)], NOW, 60)
    try:
        return len(bytearray(size)) == size
    except MemoryError:
        return False


def stderr() -> str:
    """Return the file that this process prints errors to."""
    return str(Path("/proc/self/fd/2").readlink())


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    started = parser_pool.start(1)
    yield started
    started.stop()
    started.join()


@pytest.mark.parametrize("limit", [4_000_000, 8_000_000])
def test_memory_follows_the_largest_document_allowed(pool: ProcessPool, limit: int) -> None:
    allowed = parser_pool.MEMORY_PER_BYTE * limit
    assert pool.schedule(allocate, args=(limit, allowed // 4)).result(60)
    assert not pool.schedule(allocate, args=(limit, allowed)).result(60)


def test_a_child_prints_nothing(pool: ProcessPool) -> None:
    assert pool.schedule(stderr).result(60) == os.devnull


def are_imported(modules: tuple[str, ...]) -> bool:
    return sys.modules.keys() >= set(modules)


def test_the_fork_server_imports_the_parsers_for_its_children(pool: ProcessPool) -> None:
    assert pool.schedule(are_imported, args=(parser_pool.PARSERS,)).result()


PREPARED = """
from multiprocessing import forkserver
from aggregator.models.poll import Request
from aggregator.polling.parser_pool import PARSERS
from aggregator.polling.pipeline import FetchSettings, Pipeline
from tests.polling.test_parser_pool import NOW, are_imported

def server():
    return forkserver._forkserver._forkserver_pid

def pipeline_with(**options):
    pipeline = Pipeline(FetchSettings(user_agent="a"), clock=lambda: NOW)
    request = Request(source_id="a", url="http://127.0.0.1:9/", **options)
    pipeline.add([request], spacing={})
    return pipeline

if __name__ == "__main__":
    pipeline_with(body_hash=b"h").close()
    assert server() is None
    pipeline_with().close()
    assert server()
    from aggregator.polling import parser_pool
    before, pool = server(), parser_pool.start(1)
    assert pool.schedule(are_imported, args=(PARSERS,)).result(60)
    assert server() == before
    pool.stop()
    pool.join()
    print("prepared")
"""


def test_the_fork_server_starts_with_the_first_poll_of_a_source(tmp_path: Path) -> None:
    script = tmp_path / "prepared.py"
    script.write_text(PREPARED)
    run = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert (run.stdout, run.stderr) == ("prepared\n", "")


def test_the_scheduler_imports_neither_the_parsers_nor_what_starts_them() -> None:
    script = "import sys, aggregator.polling.scheduler; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "aggregator.polling.pipeline" in imported
    assert not imported & {*parser_pool.PARSERS, "aggregator.parse.document", "nh3", "feedparser"}
    assert not imported & {"aggregator.polling.parser_pool", "pebble"}
