"""Compare the whole program with other feed readers on the same feeds.

    python -m benchmarks.peers --feedweb FILE --corpus DIR [--feeds 300] [--rounds 5]

FILE is a program that serves the folder DIR of feed documents as many feeds on loopback; both are
required. Other programs take part if installed: newsboat (`newsboat -x reload`), sfeed
(`sfeed_update`), and lemon24/reader, which is installed into a temporary environment. Each run is
a process that polls all feeds once, started as users start it. Its time is wall-clock from start to
end; its CPU time includes all its children. Programs take turns, in a different order each round.

cold          an empty database
304           feeds with validators, unchanged: programs that send them get 304
equal body    feeds without validators, unchanged
10 % changed  all feeds; a tenth have a new item on top

reader takes part in the first round only: it takes many times longer than the others together.
"""

import argparse
import ctypes
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import processes
from tests.e2e.service import AGGREGATOR, free_port, wait_for

CASES = ("cold", "304", "equal body", "10 % changed")
HOSTS = 50
AT_ONCE = 8
"""Concurrent transfers or jobs, for programs with such an option."""

READER = """
import sys
from reader import make_reader
reader = make_reader(sys.argv[1])
if len(sys.argv) > 2:
    for url in open(sys.argv[2]):
        reader.add_feed(url.strip(), exist_ok=True)
else:
    reader.update_feeds(scheduled=False, workers=%d)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall-clock and CPU seconds of a run."""

    wall: float
    cpu: float


class Program:
    """A feed reader that can poll once."""

    name = ""
    rounds = 1_000
    """Rounds in which it takes part, from the first."""

    def available(self) -> bool:
        return bool(shutil.which(self.name))

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Create an empty folder for the program."""
        raise NotImplementedError

    def command(self, folder: Path) -> list[str]:
        """Return the command that polls once."""
        raise NotImplementedError

    def entries(self, folder: Path) -> int:
        """Return the number of stored entries."""
        raise NotImplementedError


class Ours(Program):
    name = "aggregator"

    def available(self) -> bool:
        return True

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        config = {
            "storage": {"path": str(folder / "news.db")},
            "network": {"allow": ["127.0.0.0/8"]},
            "sources": [{"id": f"f{number}", "url": url} for number, url in enumerate(urls)],
        }
        (folder / "sources.yaml").write_text(json.dumps(config, indent=1))

    def command(self, folder: Path) -> list[str]:
        return [*AGGREGATOR, "--config", str(folder / "sources.yaml"), "poll", "--force"]

    def entries(self, folder: Path) -> int:
        return rows(folder / "news.db", "select count(*) from entries")


class Newsboat(Program):
    name = "newsboat"

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        (folder / "urls").write_text("\n".join(urls) + "\n")
        (folder / "config").write_text(f"reload-threads {AT_ONCE}\n")

    def command(self, folder: Path) -> list[str]:
        files = ["-u", f"{folder}/urls", "-c", f"{folder}/cache.db", "-C", f"{folder}/config"]
        return ["newsboat", *files, "-x", "reload"]

    def entries(self, folder: Path) -> int:
        return rows(folder / "cache.db", "select count(*) from rss_item")


class Sfeed(Program):
    name = "sfeed_update"

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        feeds = "\n".join(f'feed "f{number}" "{url}"' for number, url in enumerate(urls))
        head = f'sfeedpath="{folder}/feeds"\nmaxjobs={AT_ONCE}\n'
        (folder / "sfeedrc").write_text(f"{head}feeds() {{\n{feeds}\n}}\n")

    def command(self, folder: Path) -> list[str]:
        return ["sfeed_update", f"{folder}/sfeedrc"]

    def entries(self, folder: Path) -> int:
        files = (folder / "feeds").iterdir()
        return sum(file.read_bytes().count(b"\n") for file in files)


class Reader(Program):
    name = "reader"
    rounds = 1

    def __init__(self, folder: Path) -> None:
        self._python = str(folder / "bin" / "python")
        self._script = folder / "poll.py"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        self._script.write_text(READER % AT_ONCE)
        install = [self._python, "-m", "pip", "install", "-q", "reader", "sgmllib3k"]
        self._found = subprocess.run(install, stderr=subprocess.DEVNULL).returncode == 0

    def available(self) -> bool:
        return self._found

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        (folder / "urls").write_text("\n".join(urls))
        subprocess.run([*self.command(folder), str(folder / "urls")], check=True)

    def command(self, folder: Path) -> list[str]:
        return [self._python, str(self._script), str(folder / "reader.db")]

    def entries(self, folder: Path) -> int:
        return rows(folder / "reader.db", "select count(*) from entries")


def rows(database: Path, query: str) -> int:
    with closing(sqlite3.connect(database)) as db:
        return int(db.execute(query).fetchone()[0])


def run(command: list[str], folder: Path) -> Cost:
    """Run a command, and wait for its descendants too."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        code = process.wait()
    wall = time.monotonic() - begun
    # prctl makes orphans ours; their CPU time counts once we wait for them.
    while processes.of_session(process.pid):
        time.sleep(0.01)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        sys.exit(f"{command}: exit code {code}\n{(folder / 'log').read_text()[-2000:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


class Web:
    """A running server of the corpus."""

    def __init__(self, args: argparse.Namespace, count: int) -> None:
        self.port = free_port()
        options = ["--corpus", args.corpus, "--port", str(self.port), "--feeds", str(count)]
        options += ["--hosts", str(HOSTS), "--churn", "0.1"]
        self.process = subprocess.Popen(
            [sys.executable, args.feedweb, *options], stdout=subprocess.DEVNULL
        )
        self.urls = wait_for(lambda: self.ask("_control/urls").decode().split())

    def ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def by_validator(self, count: int) -> tuple[list[str], list[str]]:
        """Return feeds with and feeds without validators."""
        kinds: tuple[list[str], list[str]] = ([], [])
        for url in self.urls:
            with urllib.request.urlopen(url, timeout=60) as answer:
                kinds[not (answer.headers["ETag"] or answer.headers["Last-Modified"])].append(url)
        return kinds[0][:count], kinds[1][:count]


@contextmanager
def webs(args: argparse.Namespace) -> Iterator[tuple[Web, Web]]:
    """Run one server with changing feeds and one with constant feeds."""
    changing, quiet = Web(args, args.feeds), Web(args, args.feeds * 5)
    try:
        yield changing, quiet
    finally:
        for web in (changing, quiet):
            web.process.kill()
            web.process.wait()


Found = dict[str, dict[str, list[Cost]]]
"""Costs by case and program, one per round."""


def measure(args: argparse.Namespace, programs: list[Program], folder: Path) -> Found:
    found: Found = {case: {program.name: [] for program in programs} for case in CASES}

    def polled(case: str, program: Program, place: Path, count: int) -> None:
        cost = run(program.command(place), place)
        if case:
            found[case][program.name].append(cost)
            words = f"{case}: {cost.wall:.2f} s, {program.entries(place)} entries"
            print(f"{program.name:12} {count} feeds, {words}", file=sys.stderr)

    with webs(args) as (changing, quiet):
        still = dict(zip(("304", "equal body"), quiet.by_validator(args.feeds), strict=True))
        for case, urls in still.items():
            for program in programs:
                place = made(folder / f"{program.name}-{case[:3]}")
                program.prepare(place, urls)
                polled("", program, place, len(urls))
        for number in range(args.rounds):
            random.shuffle(programs)
            programs = [program for program in programs if program.rounds > number]
            for program in programs:
                place = made(folder / f"{program.name}-{number}")
                program.prepare(place, changing.urls)
                polled("cold", program, place, len(changing.urls))
            for case, urls in still.items():
                for program in programs:
                    polled(case, program, folder / f"{program.name}-{case[:3]}", len(urls))
            changing.ask("_control/tick", "POST")
            for program in programs:
                place = folder / f"{program.name}-{number}"
                polled("10 % changed", program, place, len(changing.urls))
                shutil.rmtree(place)
    return found


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def ratios(costs: list[Cost], ours: list[Cost]) -> tuple[list[float], list[float]]:
    """Return wall-clock and CPU time, relative to ours in the same round."""
    pairs = list(zip(costs, ours, strict=False))  # fewer rounds for some
    return [a.wall / b.wall for a, b in pairs], [a.cpu / b.cpu for a, b in pairs]


def table(found: Found, feeds: int) -> str:
    """Return the costs as Markdown; ratios compare two runs of one round."""
    lines = [
        "| case | program | seconds | CPU ms a feed | times ours: seconds (min, max) |"
        " times ours: CPU |",
        "|---|---|---|---|---|---|",
    ]
    for case, by_program in found.items():
        ours = by_program["aggregator"]
        for name, costs in sorted(by_program.items(), key=lambda item: item[0] != "aggregator"):
            walls, used = ratios(costs, ours)
            middle = statistics.median
            lines.append(
                f"| {case} | {name} | {middle(cost.wall for cost in costs):.2f}"
                f" | {middle(cost.cpu for cost in costs) * 1000 / feeds:.1f}"
                f" | {middle(walls):.2f} ({min(walls):.2f}, {max(walls):.2f})"
                f" | {middle(used):.2f} |"
            )
    return "\n".join(lines)


def words(found: Found) -> str:
    """Say in words where other programs win."""
    lines = []
    for case, by_program in found.items():
        walls, used = {}, {}
        for name, costs in by_program.items():
            walls[name], used[name] = ratios(costs, by_program["aggregator"])
        lines.append(
            f"- {case}: faster than this program: {named(walls)}; with less CPU: {named(used)}."
        )
    return "\n".join(lines)


def named(times: dict[str, list[float]]) -> str:
    """Name the programs with a median ratio below 1."""
    medians = {name: statistics.median(row) for name, row in times.items()}
    below = [f"{name} ({ratio:.2f} times ours)" for name, ratio in medians.items() if ratio < 1]
    return ", ".join(below) or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feedweb", help="program that serves feed documents")
    parser.add_argument("--corpus", help="folder of feed documents")
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    args = parser.parse_args()
    if not (args.feedweb and args.corpus):
        print("left out: give --feedweb FILE --corpus DIR to measure beside other feed readers")
        return
    # Processes that lose their parent become ours, so that their time is counted.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs: list[Program] = [Ours(), Newsboat(), Sfeed()]
        if "reader" not in args.without:
            programs.append(Reader(folder / "reader"))
        taking = [one for one in programs if one.available() and one.name not in args.without]
        found = measure(args, taking, folder)
    fewer = [f"{one.name} in {one.rounds}" for one in taking if one.rounds < args.rounds]
    rounds = ", ".join([f"{args.rounds} rounds", *fewer])
    print(f"{args.feeds:,} feeds, {rounds}\n\n{table(found, args.feeds)}\n")
    print(words(found))


if __name__ == "__main__":
    main()
