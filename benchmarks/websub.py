"""Measure how soon our hub pushes a change when some subscribers are dead or slow.

    python -m benchmarks.websub [--subscribers 1000] [--dead 10] [--changes 3]

The service runs as a user starts it. Each subscriber is a separate loopback host, subscribes over
HTTP and is verified. Then `dead` per cent of them fail: a third refuse connections, a third accept
and never answer, a third answer after eight seconds. A feed with a new entry is pushed to the
service; the time from that push to its arrival at each live subscriber includes parsing, storing,
rendering and signing. Memory is the peak of the scheduler process.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.e2e.service import wait_for
from tests.e2e.test_websub import Node
from tests.feedserver import FeedServer
from tests.websub.peers import HubPeer, send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def address(number: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}"


class Subscribers:
    """A server on every loopback address; a subscriber's number decides how it fails."""

    def __init__(self, count: int, dead: int) -> None:
        self.count, self.dead = count, dead
        self.bad = False
        self.arrived: dict[int, list[float]] = {}
        self.port = 0
        self.closing_port = 0
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        self._main = await asyncio.start_server(self._talk, "0.0.0.0", 0, backlog=2048)
        self._closing = await asyncio.start_server(self._talk, "0.0.0.0", 0, backlog=2048)
        self.port = self._main.sockets[0].getsockname()[1]
        self.closing_port = self._closing.sockets[0].getsockname()[1]

    def kind(self, number: int) -> str:
        if number % 100 >= self.dead:
            return "live"
        return ("refuses", "hangs", "slow")[number % 3]

    def callback(self, number: int) -> str:
        port = self.closing_port if self.kind(number) == "refuses" else self.port
        return f"http://{address(number)}:{port}/cb/{number}"

    def go_bad(self) -> None:
        """Make the dead subscribers fail from now on."""
        self.bad = True
        self._loop.call_soon_threadsafe(self._closing.close)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._turn(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        await reader.readexactly(int(fields.get("content-length", "0")))
        number = int(urlsplit(target).path.rpartition("/")[2])
        body = b""
        if method == "GET":
            body = parse_qs(urlsplit(target).query)["hub.challenge"][0].encode()
        else:
            self.arrived.setdefault(number, []).append(time.monotonic())
            if self.bad and self.kind(number) != "live":
                await asyncio.sleep(60 if self.kind(number) == "hangs" else 8)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        return True


def peak(pid: int) -> float:
    """Peak resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1000


def measure(folder: Path, count: int, dead: int, changes: int) -> None:
    node = Node(folder / "node")
    subscribers = Subscribers(count, dead)
    with FeedServer() as server:
        peer = HubPeer(server, numbers=list(range(1, 31)))
        node.start(peer.topic)
        try:
            [asked] = wait_for(peer.asked)
            wait_for(lambda: peer.verify(asked)[0] == 200)
            wait_for(lambda: node.count() == 30)
            subscribe(node, subscribers)
            before = peak(node.running.pid)
            subscribers.go_bad()
            for _ in range(changes):
                change(node, peer, asked, subscribers)
            print(f"memory    {before:.0f} MB before, {peak(node.running.pid):.0f} MB at the peak")
        finally:
            node.service.end()


def subscribe(node: Node, subscribers: Subscribers) -> None:
    begun = time.monotonic()
    for number in range(subscribers.count):
        form = {
            "hub.mode": "subscribe",
            "hub.topic": f"{node.base}/feeds/all.atom",
            "hub.callback": subscribers.callback(number),
            "hub.secret": "a secret",
        }
        while send(f"{node.base}/hub", urlencode(form).encode(), FORM)[0] != 202:
            time.sleep(0.1)  # as many wait as may wait
    known = "select count(*) from subscribers"
    wait_for(lambda: node.service.one(known) == subscribers.count, 60)
    print(f"verified  {subscribers.count} subscribers in {time.monotonic() - begun:.1f} s")


def change(node: Node, peer: HubPeer, asked: object, subscribers: Subscribers) -> None:
    live = [n for n in range(subscribers.count) if subscribers.kind(n) == "live"]
    before = {number: len(subscribers.arrived.get(number, ())) for number in live}
    peer.numbers.append(len(peer.numbers) + 1)
    begun = time.monotonic()
    peer.push(asked)  # type: ignore[arg-type]
    wait_for(lambda: all(len(subscribers.arrived.get(n, ())) > before[n] for n in live), 60)
    took = sorted(subscribers.arrived[number][before[number]] - begun for number in live)
    median, last = statistics.median(took), took[-1]
    print(
        f"change    {len(live)} live: first {took[0]:.2f} s, median {median:.2f}, last {last:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--dead", type=int, default=10, help="of every hundred")
    parser.add_argument("--changes", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.subscribers, given.dead, given.changes)


if __name__ == "__main__":
    main()
