"""Benchmarks run: one that can't start would tell nothing for months."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import serve
from tests.e2e import nginx

ROOT = Path(__file__).parent.parent

SMALLEST = {
    "cluster": "--feeds 2 --rounds 1 --kills 0",
    "fetch_client": "--requests 1 --rounds 1",
    "pages": "--entries 1000 --requests 2",
    "poll_costs": "--feeds 2 --rounds 1",
    "publish": "--entries 20 --new 1 --rounds 1",
    "scaling": "--sources 20 --due 10 --ticks 1 --polls 1000 --idle 0.1 --served 10",
    "soak": "--minutes 0.1 --feeds 20 --kills 1",
    "stories": "--entries 1000",
    "websub": "--subscribers 11 --changes 1",
}
"""The arguments of the smallest runs."""

ELSEWHERE = {
    "fit_stories",  # tests/dedupe/test_events.py
    "peers",  # needs feed documents and other programs
    "serve",  # below
}


def test_each_benchmark_is_tested() -> None:
    modules = {path.stem for path in ROOT.glob("benchmarks/[a-z]*.py")}
    assert modules == SMALLEST.keys() | ELSEWHERE


@pytest.mark.parametrize("name", SMALLEST)
def test_smallest_run_works(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", *SMALLEST[name].split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed")
def test_servers_that_are_compared_serve_the_same() -> None:
    with serve.servers() as servers:
        full = {name: serve.get(server.url) for name, server in servers.items()}
        unchanged = {
            name: serve.get(server.url, full[name].etag) for name, server in servers.items()
        }
    assert len({answer.body for answer in full.values()}) == 1
    assert {answer.status for answer in unchanged.values()} == {304}
    assert full[serve.ALONE].fields == full[serve.OURS].fields
    assert unchanged[serve.ALONE].fields == unchanged[serve.OURS].fields
