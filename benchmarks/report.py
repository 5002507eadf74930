"""Run benchmarks and write their results into docs/benchmarks.md.

    python -m benchmarks.report [NAME ...] [--corpus DIR --feedweb FILE] [--quick]

Without names all of `CASES` run, smaller with --quick. The Markdown that each prints is kept in
build/benchmarks, and the page takes its tables from there: a case that runs alone, fails or is left
out changes no other table. The words around the tables are the page's own.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from aggregator import __version__
from benchmarks import _drawing as drawing

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"
FIGURE = ROOT / "docs" / "benchmarks.svg"


@dataclass(frozen=True, slots=True)
class Case:
    """A benchmark with its arguments: those of a full run, and those of a quick one.

    A case without the latter takes part in a full run only.
    """

    module: str
    full: str
    quick: str | None


CASES = {
    "peers": Case("peers", "--feeds 1000 --rounds 3", "--feeds 1000 --rounds 2"),
    "start": Case("start", "--rounds 9", "--rounds 3"),
    "poll_costs": Case("poll_costs", "--feeds 300 --rounds 3", "--feeds 100 --rounds 3"),
    "fetch_client": Case("fetch_client", "--requests 2000", "--requests 1000 --rounds 1"),
    "scaling": Case("scaling", "--sources 1000 10000 100000", "--sources 1000 10000 --ticks 20"),
    "serve": Case("serve", "--rounds 9", "--rounds 5"),
    "pages": Case("pages", "--entries 100000", "--entries 100000 --requests 50"),
    "pages_million": Case("pages", "--entries 1000000", None),
    "publish": Case("publish", "--entries 5000", "--entries 1000 --rounds 1"),
    "stories": Case("stories", "--entries 100000", "--entries 20000"),
    "cluster": Case("cluster", "--feeds 500 --rounds 3", "--feeds 200 --rounds 1 --kills 2"),
    "websub": Case("websub", "--subscribers 1000", "--subscribers 1000 --changes 1"),
    "soak": Case("soak", "--minutes 5", "--minutes 1.5 --kills 3"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """The output of a benchmark, and the circumstances."""

    command: str
    day: str
    version: str
    python: str
    processors: int
    memory: int
    load: float
    output: str

    def markdown(self) -> str:
        output = self.output if "|---" in self.output else f"```\n{self.output}\n```"
        return (
            f"{output}\n\n`{self.command}`, {self.day}, version {self.version},"
            f" Python {self.python}, {self.processors} processors, {self.memory} GB of memory,"
            f" load {self.load:.1f} at the start."
        )


def gigabytes() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def run(module: str, arguments: str, extra: list[str]) -> Result | None:
    """Run a benchmark; return None if it failed or misses a program that it needs."""
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments.split(), *extra]
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    output = result.stdout.strip()
    if result.returncode or not output or output.startswith("left out"):
        print(f"{module}: exit code {result.returncode}: {output[-500:]}", file=sys.stderr)
        return None
    return Result(
        command=f"python -m benchmarks.{module} {arguments}",
        day=datetime.now(UTC).date().isoformat(),
        version=__version__,
        python=platform.python_version(),
        processors=os.cpu_count() or 1,
        memory=gigabytes(),
        load=load,
        output=output,
    )


def with_results(page: str, results: Mapping[str, Result]) -> str:
    """Return the page with the results between their marks; others stay as they are."""
    for name, result in results.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise ValueError(f"{PAGE.name} has no {begin} … {end}")
        page = f"{before}{begin}\n{result.markdown()}\n{end}{after}"
    return page


def seconds_by_case(output: str) -> dict[str, dict[str, float]]:
    """Return the seconds of the table of `peers`, by case and program."""
    found: dict[str, dict[str, float]] = {}
    for case, program, seconds in re.findall(r"^\| ([^|]+) \| (\S+) \| ([\d.]+) \|", output, re.M):
        found.setdefault(case, {})[program] = float(seconds)
    return found


def stored(folder: Path) -> dict[str, Result]:
    return {
        path.stem: Result(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))
    }


def write_page() -> None:
    results = stored(RESULTS)
    PAGE.write_text(with_results(PAGE.read_text(), results))
    if "peers" in results:
        seconds = seconds_by_case(results["peers"].output)
        FIGURE.write_text(drawing.bars("Seconds to poll all feeds once", seconds))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--corpus", type=Path, help="folder of feed documents, for peers")
    parser.add_argument("--feedweb", type=Path, help="program that serves them, for peers")
    parser.add_argument("--quick", action="store_true", help="smaller runs")
    args = parser.parse_args()
    if unknown := set(args.names) - CASES.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in args.names or CASES:
        case, extra = CASES[name], []
        arguments = case.quick if args.quick else case.full
        if arguments is None:
            continue
        if case.module == "peers":
            if not (args.corpus and args.feedweb):
                print("peers: left out: give --corpus DIR --feedweb FILE", file=sys.stderr)
                continue
            extra = [
                "--corpus",
                str(args.corpus.resolve()),
                "--feedweb",
                str(args.feedweb.resolve()),
            ]
        begun = time.monotonic()
        result = run(case.module, arguments, extra)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        if result is None:
            failed.append(name)
        else:
            (RESULTS / f"{name}.json").write_text(json.dumps(asdict(result), indent=1))
            write_page()  # at once, so that a run that is stopped keeps what it has
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
