"""A real web server on loopback whose paths are behaviours, with a log of what it received.

    with FeedServer() as server:
        server.reply("/feed", 200, {"ETag": '"1"'}, b"<rss/>")
        server.script("/drip", b"HTTP/1.1 200 OK\\r\\n\\r\\n", 1.0, b"x", RESET)
        ...
        assert server.requests[0].headers["user-agent"] == "feed-aggregator"

It listens on 127.0.0.1 to 127.0.0.4 under one port, so that a test can have several hosts.
"""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from types import TracebackType
from typing import Any, Self

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")


class End(Enum):
    """How a script ends a connection; without one it is kept alive."""

    CLOSE = "close"
    RESET = "reset"


CLOSE, RESET = End.CLOSE, End.RESET

Step = bytes | float | End
"""Bytes to send, seconds to wait, or the end of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came; `headers` by lower-case name, `at` in monotonic seconds."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int


Behaviour = Callable[[Received], Sequence[Step]]


def response(
    status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """One whole response; Content-Length is added unless the headers say how the body ends."""
    fields = dict(headers or {})
    names = {name.lower() for name in fields}
    if status not in (204, 304) and not names & {"content-length", "transfer-encoding"}:
        fields["Content-Length"] = str(len(body))
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1") + body


def certificate(folder: Path) -> Path:
    """Make a PEM file for `HOSTS` and localhost with the `openssl` command; trust it to use it."""
    file = folder / "server.pem"
    names = ",".join(("DNS:localhost", *(f"IP:{host}" for host in HOSTS)))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=test", "-addext", f"subjectAltName={names}"]
    command += ["-keyout", str(file), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (folder / "cert.pem").read_bytes())
    return file


def _missing(_: Received) -> Sequence[Step]:
    return [response(404)]


class FeedServer:
    """Starts with `with`; paths without a response answer 404."""

    def __init__(self, *, certificate: Path | None = None) -> None:
        """`certificate`: a PEM file with key and certificate; the server then speaks TLS."""
        self.requests: list[Received] = []
        self.peak: dict[str, int] = {}
        self.connections = 0
        self.port = 0
        self._behaviours: dict[str, Behaviour] = {}
        self._open: dict[str, int] = {}
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- describing ----------------------------------------------------------------------------

    def url(self, path: str, host: str = HOSTS[0]) -> str:
        """The absolute URL of `path` on one of `HOSTS`, or on a name that leads to one."""
        return f"{'https' if self._certificate else 'http'}://{host}:{self.port}{path}"

    def on(self, path: str, behaviour: Behaviour) -> None:
        """Call a function for each request."""
        self._behaviours[path] = behaviour

    def script(self, path: str, *steps: Step) -> None:
        """Send raw bytes, wait, close or reset, as bad servers do."""
        self.on(path, lambda _: steps)

    def reply(
        self,
        path: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        delay: float = 0,
    ) -> None:
        """Answer with one whole response, `delay` seconds after the request."""
        self.script(path, delay, response(status, headers, body))

    def redirect(self, path: str, location: str, status: int = 301) -> None:
        """Answer with a redirect."""
        self.reply(path, status, {"Location": location})

    def feed(
        self, path: str, body: bytes, *, etag: str = "", content_type: str = "application/rss+xml"
    ) -> None:
        """A good feed: 304 to a request that names `etag`, else the whole body."""
        headers = {"Content-Type": content_type} | ({"ETag": etag} if etag else {})

        def behaviour(request: Received) -> Sequence[Step]:
            known = etag and request.headers.get("if-none-match") == etag
            return [response(304, {"ETag": etag}) if known else response(200, headers, body)]

        self.on(path, behaviour)

    def paths(self) -> list[str]:
        """The paths that were requested, in order of arrival."""
        return [request.path for request in self.requests]

    # --- running -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections while the block runs; the port stays ours."""
        self._call(self._stop())
        with ExitStack() as bound:
            for host in HOSTS:
                holder = bound.enter_context(socket.socket())
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                holder.bind((host, self.port))
            yield
        self._call(self._listen())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        context = None
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
        self._servers: list[asyncio.Server] = []
        while len(self._servers) < len(HOSTS):
            host = HOSTS[len(self._servers)]
            try:
                server = await asyncio.start_server(
                    self._accept, host, self.port, ssl=context, limit=1_000_000, backlog=1024
                )
            except OSError:  # another program has this port on one of the addresses
                for server in self._servers:
                    server.close()
                self._servers, self.port = [], 0
                continue
            self._servers.append(server)
            self.port = server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = self._loop.create_task(self._talk(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while await self._turn(reader, writer, host, connection):
                pass
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client went away: it may
        finally:
            writer.close()

    async def _turn(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, connection: int
    ) -> bool:
        """One request and its answer; False when the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        pairs = (line.partition(":")[::2] for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Received(
            method=method,
            path=path,
            host=host,
            headers=headers,
            body=body,
            at=time.monotonic(),
            connection=connection,
        )
        self.requests.append(request)
        self._open[host] = self._open.get(host, 0) + 1
        self.peak[host] = max(self.peak.get(host, 0), self._open[host])
        behaviour = self._behaviours.get(path.partition("?")[0], _missing)
        try:
            return await self._play(behaviour(request), writer)
        finally:
            self._open[host] -= 1

    async def _play(self, steps: Sequence[Step], writer: asyncio.StreamWriter) -> bool:
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, End):
                if step is RESET:
                    await asyncio.sleep(0.05)  # let what was sent arrive first
                    writer.get_extra_info("socket").setsockopt(
                        SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)
                    )
                    writer.transport.abort()
                return False
            elif step:
                await asyncio.sleep(step)
        return True
