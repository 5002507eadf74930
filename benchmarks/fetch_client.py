"""Measure the CPU per request of our client, compared with other HTTP clients.

    python -m benchmarks.fetch_client [--requests 2000] [--rounds 3]

A server in another process answers on loopback with a 304, or with 60 kB of gzipped feed. Each
client runs in its own process, 100 requests at once, in alternating rounds; the result is its CPU
time (user and system), the median of the rounds. TLS has no session tickets: every new connection
costs a full handshake, like the first poll of a host.

bare pycurl  a loop over libcurl that stores header and body and checks the status
aiohttp      if installed; not a dependency
bare socket  the minimum in Python: sequential sockets, no HTTP library
"""

import argparse
import asyncio
import gzip
import importlib.util
import multiprocessing
import random
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.feedserver import certificate

ETAG = '"b1946ac92492d2347c6235b4d2611184"'
AT_ONCE = 100
CASES = {
    "304": ("http", "/unchanged"),
    "304, new connection": ("http", "/unchanged/close"),
    "60 kB": ("http", "/full"),
    "60 kB, new connection": ("http", "/full/close"),
    "TLS 304, new connection": ("https", "/unchanged/close"),
    "TLS 60 kB, new connection": ("https", "/full/close"),
}


# --- server ----------------------------------------------------------------------------------


def answers() -> dict[bytes, bytes]:
    words = random.Random(1)
    text = " ".join(words.choice(("feed", "news", "of", "the", "day", "at", "sea")) + str(n)
                    for n in range(9_000)).encode()[:60_000]  # fmt: skip
    body = gzip.compress(text)
    shared = (
        f"Date: Tue, 24 Nov 2026 10:00:00 GMT\r\nServer: nginx\r\nETag: {ETAG}\r\n"
        "Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\nCache-Control: max-age=600\r\n"
    )
    unchanged = f"HTTP/1.1 304 Not Modified\r\n{shared}"
    full = (
        f"HTTP/1.1 200 OK\r\n{shared}Content-Type: application/rss+xml; charset=utf-8\r\n"
        f"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\nContent-Length: {len(body)}\r\n"
    )
    return {
        b"/unchanged": f"{unchanged}\r\n".encode(),
        b"/unchanged/close": f"{unchanged}Connection: close\r\n\r\n".encode(),
        b"/full": f"{full}\r\n".encode() + body,
        b"/full/close": f"{full}Connection: close\r\n\r\n".encode() + body,
    }


class Server(asyncio.Protocol):
    table = answers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            self.transport.write(self.table[path])
            if path.endswith(b"close"):
                self.transport.close()


def serve(pem: Path, ports: Any) -> None:
    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        loop = asyncio.get_running_loop()
        plain = await loop.create_server(Server, "127.0.0.1", 0, backlog=1024)
        secure = await loop.create_server(Server, "127.0.0.1", 0, ssl=context, backlog=1024)
        ports.put([server.sockets[0].getsockname()[1] for server in (plain, secure)])
        await asyncio.Event().wait()

    asyncio.run(run())


# --- clients: each fetches `url` `count` times -----------------------------------------------


def ours(url: str, authority: str) -> Callable[[int], None]:
    from aggregator.fetch.client import Client
    from aggregator.models.config import PerHost
    from aggregator.models.poll import Failed, Request, Validators

    client = Client(
        user_agent="feed-aggregator/0 (+http://example.org; me@example.org)",
        allow=("127.0.0.0/8",),
        per_host=PerHost(connections=AT_ONCE),
        concurrency=AT_ONCE,
        tls_ca=authority,
    )

    def run(count: int) -> None:
        request = Request(
            source_id="a", url=url, validators_url=url, validators=Validators(etag=ETAG)
        )
        for _, outcome in client.fetch([request] * count):
            assert not isinstance(outcome, Failed), outcome

    return run


def bare_pycurl(url: str, authority: str) -> Callable[[int], None]:
    import pycurl

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, AT_ONCE)
    idle = []
    parts: list[bytes] = []
    for _ in range(AT_ONCE):
        easy = pycurl.Curl()
        easy.setopt(pycurl.ACCEPT_ENCODING, "")
        easy.setopt(pycurl.HEADERFUNCTION, parts.append)
        easy.setopt(pycurl.WRITEFUNCTION, parts.append)
        easy.setopt(pycurl.CAINFO, authority)
        idle.append(easy)

    def run(count: int) -> None:
        started = ended = 0
        while ended < count:
            while idle and started < count:
                easy = idle.pop()
                easy.setopt(pycurl.URL, url)
                easy.setopt(pycurl.HTTPHEADER, [f"If-None-Match: {ETAG}"])
                multi.add_handle(easy)
                started += 1
            multi.perform()
            _, good, bad = multi.info_read()
            assert not bad, bad
            for easy in good:
                multi.remove_handle(easy)
                assert easy.getinfo(pycurl.RESPONSE_CODE) in (200, 304)
                idle.append(easy)
                ended += 1
            parts.clear()
            if not good:
                multi.select(0.05)

    return run


def aiohttp(url: str, authority: str) -> Callable[[int], None]:
    import aiohttp as library  # type: ignore[import-not-found]  # if installed

    def run(count: int) -> None:
        async def worker(session: library.ClientSession, left: list[None]) -> None:
            while left:
                left.pop()
                async with session.get(url, headers={"If-None-Match": ETAG}) as response:
                    await response.read()
                    assert response.status in (200, 304)

        async def all_of_them() -> None:
            context = ssl.create_default_context(cafile=authority)
            connector = library.TCPConnector(limit=AT_ONCE, ssl=context)
            async with library.ClientSession(connector=connector) as session:
                left = [None] * count
                await asyncio.gather(*(worker(session, left) for _ in range(AT_ONCE)))

        asyncio.run(all_of_them())

    return run


def bare_socket(url: str, authority: str) -> Callable[[int], None]:
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    address = ("127.0.0.1", int(place.partition(":")[2]))
    context = ssl.create_default_context(cafile=authority)
    question = (
        f"GET /{path} HTTP/1.1\r\nHost: {place}\r\nAccept-Encoding: gzip\r\n"
        f"If-None-Match: {ETAG}\r\n\r\n"
    ).encode()
    size = len(Server.table[f"/{path}".encode()])
    head = Server.table[f"/{path}".encode()].index(b"\r\n\r\n") + 4

    def connect() -> socket.socket:
        opened = socket.create_connection(address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return (
            context.wrap_socket(opened, server_hostname="127.0.0.1")
            if scheme == "https"
            else opened
        )

    def run(count: int) -> None:
        connection = connect()
        for number in range(count):
            connection.sendall(question)
            answer = b""
            while len(answer) < size:
                answer += connection.recv(65_536)
            if size > head:
                gzip.decompress(answer[head:])
            if path.endswith("close"):
                connection.close()
                if number < count - 1:
                    connection = connect()
        connection.close()

    return run


CLIENTS: dict[str, Callable[[str, str], Callable[[int], None]]] = {
    "bare pycurl": bare_pycurl,
    "ours": ours,
    "aiohttp": aiohttp,
    "bare socket": bare_socket,
}


# --- measuring -------------------------------------------------------------------------------


def measure(name: str, url: str, count: int, authority: str, result: Any) -> None:
    run = CLIENTS[name](url, authority)
    run(2 * AT_ONCE)  # imports, handles, connections
    start = time.process_time()
    run(count)
    result.put(1000 * (time.process_time() - start) / count)


def once(name: str, url: str, count: int, authority: str) -> float:
    context = multiprocessing.get_context("spawn")
    result = context.SimpleQueue()
    child = context.Process(target=measure, args=(name, url, count, authority, result))
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"{name} failed at {url}")
    return float(result.get())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    clients = [name for name in CLIENTS if name != "aiohttp" or importlib.util.find_spec("aiohttp")]
    with tempfile.TemporaryDirectory() as folder:
        authority = certificate(Path(folder))
        context = multiprocessing.get_context("spawn")
        queue = context.SimpleQueue()
        server = context.Process(target=serve, args=(authority, queue), daemon=True)
        server.start()
        ports = dict(zip(("http", "https"), queue.get(), strict=True))
        table: dict[str, dict[str, float]] = {name: {} for name in clients}
        for case, (scheme, path) in CASES.items():
            url = f"{scheme}://127.0.0.1:{ports[scheme]}{path}"
            rounds: dict[str, list[float]] = {name: [] for name in clients}
            for _ in range(options.rounds):
                for name in clients:
                    rounds[name].append(once(name, url, options.requests, str(authority)))
            for name in clients:
                table[name][case] = statistics.median(rounds[name])
        server.terminate()
    print("CPU ms per request (times bare pycurl)\n")
    print("| client | " + " | ".join(CASES) + " |\n|---" + "|---" * len(CASES) + "|")
    for name, row in table.items():
        cells = (
            f"{row[case]:.3f} ({row[case] / table['bare pycurl'][case]:.2f})" for case in CASES
        )
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
