"""Parser processes are bounded, and any of them may die at any time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import AggregatorError
from aggregator.models.config import Limits
from aggregator.models.poll import Failed, Fetched, Request
from aggregator.polling import parser_pool, parser_process
from aggregator.polling.parser_pool import Answer, ParserPool
from aggregator.polling.pipeline import FetchSettings, Pipeline
from aggregator.polling.stages import Body
from tests.e2e.service import wait_for
from tests.polling import in_child

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
LIMITS = Limits()


def body(text: object = "", limits: Limits = LIMITS) -> Body:
    url = "https://a.example/"
    request = Request(source_id=str(text), url=url, limits=limits)
    fetched = Fetched(url=url, body=str(text).encode(), content_type="")
    return Body(request=request, fetched=fetched, body_hash=b"")


def is_lost(pool: ParserPool) -> bool:
    return pool.is_lost


def files_of(process: int | str = "self") -> int:
    """Return how many files a process has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def answers(pool: ParserPool, count: int) -> list[Any]:
    """Wait for answers to so many batches."""
    found: list[Answer] = []
    while len(found) < count:
        assert not is_lost(pool)
        found += pool.take(1.0)
    return found


Start = Callable[..., ParserPool]
Run = Callable[..., Any]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a pool whose children run another function."""
    pools: list[ParserPool] = []

    def start(function: in_child.Read, most: int = 1) -> ParserPool:
        monkeypatch.setattr(parser_pool, "read_documents", function)
        pools.append(ParserPool(most))
        return pools[-1]

    yield start
    for pool in pools:
        pool.close()


@pytest.fixture
def run(start: Start) -> Run:
    """Run a function in a child; return what it returns."""

    def run(function: in_child.Read, text: object = "", limits: Limits = LIMITS) -> Any:
        pool = start(function)
        pool.send([body(text, limits)], NOW)
        [answer] = answers(pool, 1)
        assert not answer.fault
        return answer.results[0]

    return run


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [4_000_000, 8_000_000])
def test_memory_follows_the_largest_document_allowed(run: Run, limit: int) -> None:
    allowed = parser_pool.MEMORY_PER_BYTE * limit
    assert run(in_child.allocate, allowed // 4, Limits(body=limit))
    assert not run(in_child.allocate, allowed, Limits(body=limit))


def test_children_yield_to_the_scheduler(run: Run) -> None:
    assert run(in_child.niceness) == min(19, os.nice(0) + parser_process.NICENESS)


def test_small_documents_have_memory_for_the_process_itself(run: Run) -> None:
    small = Limits(body=10_000)
    assert run(in_child.allocate, parser_pool.LEAST_MEMORY // 4, small)
    assert not run(in_child.allocate, parser_pool.LEAST_MEMORY, small)


@pytest.mark.parametrize(
    ("text", "limits", "fault"),
    [
        ("work", Limits(parse=0.05), "took too much CPU time (defaults.limits.parse)"),
        ("sleep {}", Limits(parse=0.01), "took too long and was stopped (defaults.limits.parse)"),
        ("die", LIMITS, "the parser process died, out of memory or by a fault"),
        ("return nothing", LIMITS, "the parser process died, out of memory or by a fault"),
        ("raise", LIMITS, "parsing failed (ValueError: no)"),
        ("return lambda", LIMITS, "parsing failed ("),
    ],
)
def test_a_document_that_breaks_its_process_fails(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    limits: Limits,
    fault: str,
) -> None:
    if text == "work":  # on a busy machine, it may take long until its CPU time is used
        monkeypatch.setattr(parser_pool, "WALL_CLOCK_FACTOR", 1_000)
    pool = start(in_child.obey)
    first = pool.send([body(text.format(tmp_path / "pid"), limits)], NOW)
    second = pool.send([body("well")], NOW)
    failed, well = answers(pool, 2)
    assert (failed.batch, failed.results) == (first, [])
    assert fault in failed.fault
    assert well == Answer(second, in_child.texts([body("well")], NOW), "")


def test_a_child_prints_nothing(run: Run) -> None:
    assert run(in_child.stderr) == os.devnull


def test_a_child_ends_after_this_process_and_not_by_signals_to_all(run: Run) -> None:
    assert run(in_child.blocked_signals) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


# --- losses -------------------------------------------------------------------------------------


def process_id(pool: ParserPool) -> int:
    """Return the process id of the only child."""
    pool.send([body()], NOW)
    [answer] = answers(pool, 1)
    [pid] = answer.results
    return int(pid)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_child_killed_while_idle_is_replaced(start: Start) -> None:
    pool = start(in_child.process_id)
    before = process_id(pool)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: is_gone(before))  # its parent has reaped it
    pool.take(0.1)
    assert process_id(pool) != before


def test_a_batch_of_a_child_that_died_before_it_began_is_lost_with_the_pool(start: Start) -> None:
    pool = start(in_child.process_id)
    pid = process_id(pool)
    os.kill(pid, signal.SIGSTOP)
    pool.send([body()], NOW)
    assert pool.take(0.1) == []
    os.kill(pid, signal.SIGKILL)
    while not is_lost(pool):
        assert pool.take(1.0) == []


def test_the_pool_is_lost_with_the_parent(start: Start) -> None:
    pool = start(in_child.obey)
    pool.send([body("kill-parent")], NOW)
    while not is_lost(pool):
        assert pool.take(0.1) == []


def test_children_are_replaced_after_some_batches_and_leave_nothing(start: Start) -> None:
    pool = start(in_child.process_id)
    process_id(pool)
    before = files_of()
    count = parser_process.CHILD_TASKS + 10
    for _ in range(count):
        pool.send([body()], NOW)
    pids: set[Any] = {answer.results[0] for answer in answers(pool, count)}
    assert len(pids) == 2
    assert files_of() == before
    [child] = [pid for pid in pids if not is_gone(pid)]
    assert files_of(child) == files_of(pool._parent.pid)
    pool.close()
    assert files_of() == before - 2


def test_a_child_without_work_ends_and_another_one_takes_the_next_batch(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = "parser_process.IDLE_SECONDS = 0.01; parser_process.main"
    command = parser_pool._PARENT.replace("parser_process.main", hasty)
    monkeypatch.setattr(parser_pool, "_PARENT", command)
    pool = start(in_child.process_id)
    before = process_id(pool)
    wait_for(lambda: is_gone(before))
    assert process_id(pool) != before


def test_several_children_work_at_once(start: Start, tmp_path: Path) -> None:
    pool = start(in_child.obey, most=2)
    files = tmp_path / "a", tmp_path / "b"
    for file in files:
        pool.send([body(f"sleep {file}")], NOW)
    wait_for(lambda: all(file.exists() and file.read_text() for file in files))
    pids = {int(file.read_text()) for file in files}
    assert len(pids) == 2
    pool.close()
    assert all(map(is_gone, pids))


KILLED = """
import sys
from tests.polling import in_child
from tests.polling.test_parser_pool import NOW, ParserPool, body, parser_pool
parser_pool.read_documents = in_child.obey
pool = ParserPool(2)
pool.send([body("idle")], NOW)
pool.take(60)
pool.send([body(f"sleep {sys.argv[1]}")], NOW)
print(pool._parent.pid, flush=True)
pool.take(600)
"""


def test_all_end_when_the_scheduler_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    scheduler = subprocess.Popen(
        [sys.executable, "-c", KILLED, file],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert scheduler.stdout
    parent = int(scheduler.stdout.readline())
    wait_for(lambda: file.exists() and file.read_text())
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    assert file.read_text() in children
    scheduler.kill()
    scheduler.communicate()
    wait_for(lambda: all(map(is_gone, [parent, *map(int, children)])))


def test_why_they_can_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(AggregatorError, match=r"the parser processes can't start: .*/nowhere"):
        ParserPool(1)


# --- in the pipeline ----------------------------------------------------------------------------


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setattr(parser_pool, "read_documents", in_child.obey)
    pipeline = Pipeline(FetchSettings(user_agent="a"), clock=lambda: NOW)
    yield pipeline
    pipeline.close()


def pool_of(pipeline: Pipeline) -> ParserPool | None:
    return pipeline._pool


def read(pipeline: Pipeline, *texts: str) -> list[Any]:
    """Return the results for documents."""
    bodies = [body(text) for text in texts]
    requests = [replace(each.request, document=each.fetched) for each in bodies]
    pipeline.add(requests, spacing={})
    found: list[Any] = []
    while pipeline.pending:
        found += pipeline.step()
    return found


def test_a_document_that_kills_its_child_fails_alone(pipeline: Pipeline) -> None:
    found = read(pipeline, "a", "b", "die", "c")
    assert sorted(each for each in found if isinstance(each, str)) == ["a", "b", "c"]
    [failed] = [each for each in found if not isinstance(each, str)]
    assert failed.source_id == "die"
    assert isinstance(failed.outcome, Failed)
    assert "the parser process died" in failed.outcome.detail


def test_documents_that_kill_all_processes_fail_in_the_end(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    [failed] = read(pipeline, "kill-parent")
    assert "the parser processes died each time" in failed.outcome.detail
    said = [record.getMessage() for record in caplog.records]
    assert said == ["event=parser_pool_lost action=restart"] * 4
    assert read(pipeline, "well") == ["well"]


def test_a_parent_killed_while_idle_is_replaced(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(pipeline, "a") == ["a"]
    assert pipeline._pool
    os.kill(pipeline._pool._parent.pid, signal.SIGKILL)
    assert read(pipeline, "b") == ["b"]  # by the child that lives, or by a new one
    while "event=parser_pool_lost action=restart" not in caplog.text:
        pipeline.step()
    assert read(pipeline, "c") == ["c"]


# --- start --------------------------------------------------------------------------------------


def test_the_parent_imports_the_parsers_for_its_children(run: Run) -> None:
    assert run(in_child.are_imported)


def test_they_start_with_the_first_poll_of_a_source(pipeline: Pipeline) -> None:
    url = "http://127.0.0.1:9/"
    pipeline.add([Request(source_id="a", url=url, body_hash=b"h")], spacing={})
    assert pool_of(pipeline) is None
    pipeline.add([Request(source_id="b", url=url)], spacing={})
    started = pool_of(pipeline)
    assert started
    assert read(pipeline, "a")
    assert pool_of(pipeline) is started


def test_the_scheduler_imports_neither_the_parsers_nor_what_starts_them() -> None:
    script = "import sys, aggregator.polling.scheduler; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "aggregator.polling.pipeline" in imported
    parsers = {*parser_process.PARSERS, "aggregator.parse.document", "nh3", "feedparser"}
    assert not imported & parsers
    assert not imported & {"aggregator.polling.parser_pool", "aggregator.polling.parser_process"}
