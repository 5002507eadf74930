"""Benchmarks run, and their results reach the page."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import report, serve
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
    "start": "--rounds 1 --sources 10",
    "stories": "--entries 1000",
    "websub": "--subscribers 11 --changes 1",
}
"""The arguments of the smallest runs."""

ELSEWHERE = {
    "fit_stories",  # tests/dedupe/test_events.py
    "peers",  # needs feed documents and other programs
    "report",  # below
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


# --- the page --------------------------------------------------------------------------------


def result(output: str) -> report.Result:
    return report.Result(
        command="python -m benchmarks.x",
        day="2009-06-27",
        version="1.2.3",
        python="3.11.1",
        processors=2,
        memory=4,
        load=0.1,
        output=output,
    )


def test_the_page_has_a_place_for_each_case() -> None:
    page = report.PAGE.read_text()
    marks = {name: result("| a |\n|---|\n| 1 |") for name in report.CASES}
    assert report.with_results(page, marks).count("`python -m benchmarks.x`") == len(marks)
    assert {case.module for case in report.CASES.values()} <= SMALLEST.keys() | ELSEWHERE


def test_a_result_replaces_its_own_table_only() -> None:
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\nkept\n<!-- /y -->\n"
    written = report.with_results(page, {"x": result("| new |\n|---|")})
    assert written == (
        "a\n<!-- x -->\n| new |\n|---|\n\n`python -m benchmarks.x`, 2009-06-27, version 1.2.3,"
        " Python 3.11.1, 2 processors, 4 GB of memory, load 0.1 at the start.\n<!-- /x -->\nb\n"
        "<!-- y -->\nkept\n<!-- /y -->\n"
    )
    assert report.with_results(written, {"x": result("| new |\n|---|")}) == written


def test_a_result_without_a_place_is_reported() -> None:
    with pytest.raises(ValueError, match="no <!-- x -->"):
        report.with_results("nothing", {"x": result("")})


def test_the_figure_shows_the_seconds_of_each_case() -> None:
    table = "| case | program | seconds | CPU |\n|---|---|---|---|\n"
    rows = "| cold | ours | 1.50 | 3 |\n| cold | other | 2.00 | 4 |\n| 304 | ours | 0.10 | 1 |"
    assert report.seconds_by_case(table + rows) == {
        "cold": {"ours": 1.5, "other": 2.0},
        "304": {"ours": 0.1},
    }


def test_a_benchmark_that_fails_has_no_result() -> None:
    found = report.run("stories", "--entries 1000", [])
    assert found
    assert found.command == "python -m benchmarks.stories --entries 1000"
    assert "1,000 entries" in found.output
    assert report.run("stories", "--no-such-option", []) is None
    assert report.run("peers", "", []) is None
