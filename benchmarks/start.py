"""Measure how long commands take to start: CPU time of all their processes, and the first page.

    python -m benchmarks.start [--rounds 7] [--sources 10000]

The cases take turns. A poll is of one feed of 20 items on this machine: its first, with nothing
stored; one with a new item; one that is answered 304. `run` starts with that feed stored, and the
time is from its start until the front page has arrived, by the clock: another program that runs
makes it longer.
"""

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.churn import Churn
from tests.e2e.service import AGGREGATOR, Service, free_port, wait_for
from tests.e2e.test_run import fetched
from tests.feedserver import FeedServer

PR_SET_CHILD_SUBREAPER = 36


def spent(command: list[str], folder: Path) -> float:
    """Return the CPU seconds of a command and of all processes that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, check=True, stdout=quiet, stderr=quiet)
    while True:
        try:
            os.wait()  # a web server ends after the command
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_page(service: Service) -> float:
    """Return the seconds until `run` has served the front page."""
    port, begun = free_port(), time.monotonic()
    running = service.start("run", "--port", str(port))
    wait_for(lambda: fetched(f"http://127.0.0.1:{port}/"))
    took = time.monotonic() - begun
    running.process.terminate()
    running.wait()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sources", type=int, default=10_000, help="that `check` reads")
    args = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users' modules are compiled once
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as name, FeedServer() as server:
        service, many = (Service(Path(name, part)) for part in ("one", "many"))
        service.folder.mkdir()
        many.folder.mkdir()
        churn = Churn(server, 1, items=20, text="It rains in the north. " * 20)
        service.configure(churn.sources(every="1h"))
        many.configure(
            [
                {"id": f"f{number}", "url": f"https://h{number // 10}.example/{number}"}
                for number in range(args.sources)
            ]
        )

        def command(where: Service, *arguments: str) -> float:
            return spent([*AGGREGATOR, "--config", str(where.config), *arguments], where.folder)

        def poll() -> float:
            return command(service, "poll", "--force")

        def poll_first() -> float:
            for file in service.folder.glob("data/*"):
                file.unlink()
            return poll()

        def poll_news() -> float:
            churn.feeds[0].publish(datetime.now(UTC))
            return poll()

        cases: dict[str, Callable[[], float]] = {
            "`--help`, CPU": lambda: command(service, "--help"),
            "`check`, one source, CPU": lambda: command(service, "check"),
            f"`check`, {args.sources:,} sources, CPU": lambda: command(many, "check"),
            "`poll`, one feed, the first time, CPU": poll_first,
            "`poll`, one feed with a new item, CPU": poll_news,
            "`poll`, one feed without news, CPU": poll,
            "`run`, the first page, by the clock": lambda: first_page(service),
        }
        for case in cases.values():
            case()  # compiles the modules
        found: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(args.rounds):
            for name_, case in cases.items():
                found[name_].append(case())
    print("| case | seconds, median | min | max |\n|---|---|---|---|")
    for name_, times in found.items():
        print(f"| {name_} | {statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f} |")


if __name__ == "__main__":
    main()
