"""Every bad endpoint of feedweb at once beside 200 good feeds: opt-in, it takes minutes.

pytest tests/e2e/test_feedweb.py --corpus FOLDER --feedweb FILE
"""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from tests.e2e import processes
from tests.e2e.service import Running, Service, free_port, wait_for

GOOD, ROUNDS, HOSTS = 200, 5, 8

ENDINGS = {
    "http_status": "not-found unavailable",
    "gone": "gone",
    "rate_limited": "rate-limited rate-limited-date",
    "redirects": "loop",
    "refused_address": "to-metadata",
    "refused_scheme": "to-file",
    "false_304": "false-304",
    "not_a_feed": "html billion-laughs deep",
    "empty": "empty",
    "encoding": "garbage-gzip",
    "too_large": "huge big-header endless gzip-bomb",
    "truncated": "short-length truncated-chunk reset",
    "timeout": "drip hang",
    "": "good max-age moved moved-308 found hop-1 html-discovery no-items external-entity xss"
    " nul-bytes wrong-charset bad-dates no-ids same-guid ten-thousand cookies",
}
"""How a poll of each endpoint must end, "" for well."""

ENTRIES = {
    "good": 2, "moved": 2, "hop-1": 2, "html-discovery": 2, "no-items": 0, "nul-bytes": 2,
    "bad-dates": 7, "no-ids": 2, "same-guid": 1, "ten-thousand": 10_000, "huge": 0, "hang": 0,
}  # fmt: skip


@dataclass
class Relay:
    """Forwards connections to a server and records the requests."""

    target: int
    port: int = 0
    asked: bytearray = field(default_factory=bytearray)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keep: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if keep:
                    self.asked += data
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, back, True), self._pass(there, writer, False))

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    def start(self) -> None:
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait()


@pytest.fixture
def program(request: pytest.FixtureRequest) -> str:
    file = request.config.getoption("--feedweb")
    if not file:
        pytest.skip("give --feedweb FILE, the program that serves the corpus, to run this")
    return str(file)


@contextlib.contextmanager
def feedweb(program: str, corpus: Path) -> Iterator[int]:
    """Run a feedweb and give its port."""
    port = free_port()
    command = [sys.executable, program, "--corpus", str(corpus), "--port", str(port)]
    with subprocess.Popen(
        [*command, "--feeds", str(GOOD), "--hosts", str(HOSTS)], stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(lambda: asked(port, "_control/urls"))
            yield port
        finally:
            process.kill()


def asked(port: int, path: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


class Round:
    """One forced round, watched: when its good feeds were stored, and the memory it took."""

    def __init__(self, service: Service, number: int) -> None:
        self.peak = 0
        begun = time.monotonic()
        running = service.start("poll", "--force")
        watch = threading.Thread(target=self._watch, args=(running,))
        watch.start()
        service.wait(
            lambda: service.one("select min(polls) from sources where id like 'f-%'") == number, 120
        )
        self.seconds = time.monotonic() - begun
        assert running.wait(120) == 0
        watch.join()

    def _watch(self, running: Running) -> None:
        while running.alive:
            living = processes.of_session(running.pid)
            self.peak = max(self.peak, sum(process.memory for process in living))
            time.sleep(0.05)


def test_every_bad_endpoint_at_once_beside_good_feeds(
    program: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One server for the good and one for the bad: it is not the server that is tested here.
    with feedweb(program, corpus) as port, feedweb(program, corpus) as bad_port:
        asked(bad_port, "_hostile/gzip-bomb")  # which takes seconds to be made
        check(port, bad_port, tmp_path, capsys)


def check(port: int, bad_port: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relay = Relay(bad_port)
    relay.start()
    urls = asked(port, "_control/urls").decode().split()
    good = [{"id": f"f-{number}", "url": url} for number, url in enumerate(urls)]
    names = {name: kind for kind, words in ENDINGS.items() for name in words.split()}
    bad = [
        {"id": f"h-{name}", "url": f"http://localhost:{relay.port}/_hostile/{name}"}
        for name in names
    ]
    limits = {"limits": {"total": "10s"}}
    alone, beside = Service(folder / "alone"), Service(folder / "beside")
    for service, sources in ((alone, good), (beside, [*bad, *good])):
        service.folder.mkdir()
        service.configure(sources, network={"allow": ["127.0.0.0/8", "localhost"]}, defaults=limits)
        service.run("status")
    rounds = []
    for number in range(1, ROUNDS + 1):
        rounds.append((Round(alone, number), Round(beside, number)))
        asked(port, "_control/tick", "POST")

    ended = dict(beside.rows("select substr(id, 3), error_kind from sources where id like 'h-%'"))
    counts = dict(beside.rows("select substr(id, 3), entries from sources where id like 'h-%'"))
    with capsys.disabled():
        for first, second in rounds:
            sys.stdout.write(
                f"\nstored after {first.seconds:.1f} s alone, {second.seconds:.1f} s beside bad"
                f" ones; peak {first.peak / 1e6:.0f} and {second.peak / 1e6:.0f} MB"
            )
    assert {name: ended[name] for name in names} == names
    assert {name: counts[name] for name in ENTRIES} == ENTRIES
    # The median, because other work on the machine delays single rounds by seconds.
    assert median(second.seconds - first.seconds for first, second in rounds) < 1
    assert max(second.peak for _, second in rounds) < 500_000_000
    assert b"GET /_hostile/cookies HTTP" in relay.asked
    assert b"\ncookie:" not in relay.asked.lower()
    beside.assert_sound()
