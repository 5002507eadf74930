"""Measure requests for a merged feed, compared with nginx, granian alone and plain Flask.

    python -m benchmarks.serve [--rounds 9] [--seconds 1]

wrk requests a feed of about 75 kB over 64 connections, in full (200) and with If-None-Match (304).
Ours is `aggregator web`, as users start it. nginx serves the same bytes as a static file. Granian,
the server that ours runs on, serves them from a WSGI application that does nothing else, with the
same header fields; plain Flask returns them from a view, on granian too. Each server has one worker
on the first core, wrk one thread on the last. All is loopback, uncompressed.

A wrk thread takes more CPU for a small response than nginx does, so requests a second say what the
client can do. The comparison is by the CPU time of the server's processes.

Other work on the machine slows all of them, so rounds are short and many, every second one runs in
reverse order, and ratios compare two runs of one round, given as median (min, max).
"""

import argparse
import http.client
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aggregator.models.entry import SafeHtml
from tests.e2e import processes
from tests.e2e.nginx import PROGRAM as NGINX
from tests.e2e.service import AGGREGATOR, free_port, wait_for
from tests.web.sample_store import CONFIG, SampleStore, make_entry, open_sample

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)

CONFIG_YAML = """
site: {{title: Bench, base_url: "https://site.example"}}
storage: {{path: "{folder}/test.db"}}
sources: [{{id: herald, url: "https://herald.example/feed"}}]
"""
NGINX_CONF = """
daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/atom+xml; sendfile on; keepalive_requests 1000000;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""
ALONE_APP = """
body, full, unchanged = open({file!r}, "rb").read(), {full!r}, {unchanged!r}
def app(environ, start_response):
    if "HTTP_IF_NONE_MATCH" in environ:
        start_response("304 Not Modified", unchanged)
        return [b""]
    start_response("200 OK", full)
    return [body]
"""
PLAIN_APP = """
from flask import Flask, Response, request
body = open({file!r}, "rb").read()
app = Flask(__name__)
@app.get("/feeds/all.atom")
def feed():
    response = Response(body, mimetype="application/atom+xml")
    response.set_etag("static")
    return response.make_conditional(request)
"""
PATH = "/feeds/all.atom"


CASES = ("304", "200")
STATIC, ALONE, OURS, PLAIN = "nginx", "granian alone", "aggregator", "plain Flask"


def web(config: Path, port: int) -> list[str]:
    """Return the command that serves a site, as users start it."""
    return [*AGGREGATOR, "--quiet", "--config", str(config), "web", "--port", str(port)]


def granian(target: str, port: int, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers",
        "1", "--blocking-threads", "1", "--no-ws", "--log-level", "error", "--working-dir",
        str(folder), target,
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `pid` is its session, too."""

    url: str
    pid: int

    def spent(self) -> float:
        """Return the CPU seconds of its processes."""
        ticks = sum(process.ticks for process in processes.of_session(self.pid))
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], port: int) -> Iterator[Server]:
    """Run a server on the first core; yield once it responds."""
    pinned = ["taskset", "-c", "0", *command] if shutil.which("taskset") else command
    process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, start_new_session=True)
    server = Server(f"http://127.0.0.1:{port}{PATH}", process.pid)
    try:
        wait_for(lambda: urllib.request.urlopen(server.url, timeout=2).read())
        yield server
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True, slots=True)
class Run:
    """A run of wrk: requests a second, 99th percentile in milliseconds, CPU us a request."""

    rate: float
    slow: float
    cpu: float


def ask(server: Server, seconds: int, tag: str) -> Run:
    header = ["-H", f"If-None-Match: {tag}"] if tag else []
    last = (os.cpu_count() or 1) - 1
    command = ["taskset", "-c", str(last), "wrk", "-t1", "-c64", f"-d{seconds}s", "--latency"]
    before = server.spent()
    result = subprocess.run([*command, *header, server.url], capture_output=True, text=True)
    used, out = server.spent() - before, result.stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    count = re.search(r"(\d+) requests in", out)
    assert rate and slow and count, out  # noqa: PT018
    unit = {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]
    return Run(float(rate[1]), float(slow[1]) * unit, used * 1e6 / int(count[1]))


def fill(sample: SampleStore) -> None:
    text = SafeHtml("<p>" + "Some words of a report that is not short. " * 22 + "</p>")
    for number in range(50):
        entry = make_entry(number, START - timedelta(minutes=number))
        sample.put("herald", replace(entry, content=text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    args = parser.parse_args()
    missing = [name for name in ("wrk", "taskset") if not shutil.which(name)]
    missing += [] if NGINX else ["nginx"]
    if missing:
        print(f"left out: {', '.join(missing)} not installed (Debian: nginx-light, wrk)")
        return
    with servers() as found:
        compare(found, args.rounds, args.seconds)


@contextmanager
def servers() -> Iterator[dict[str, Server]]:
    """Run all servers, which serve the feed of ours."""
    ports = [free_port() for _ in range(4)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # nginx reads as another user
        with open_sample(folder, replace(CONFIG, sources=CONFIG.sources[:1])) as sample:
            fill(sample)
        (folder / "sources.yaml").write_text(CONFIG_YAML.format(folder=folder))

        def run(command: list[str], port: int) -> Server:
            return stack.enter_context(running(command, port))

        ours = run(web(folder / "sources.yaml", ports[0]), ports[0])
        full = get(ours.url)
        unchanged = get(ours.url, full.etag)
        file = folder / "www" / "feeds" / "all.atom"
        file.parent.mkdir(parents=True)
        file.write_bytes(full.body)
        (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=ports[1]))
        alone = ALONE_APP.format(file=str(file), full=full.fields, unchanged=unchanged.fields)
        (folder / "alone.py").write_text(alone)
        (folder / "plain.py").write_text(PLAIN_APP.format(file=str(file)))
        nginx = [NGINX or "nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
        yield {
            STATIC: run(nginx, ports[1]),
            ALONE: run(granian("alone:app", ports[2], folder), ports[2]),
            OURS: ours,
            PLAIN: run(granian("plain:app", ports[3], folder), ports[3]),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `fields` are those that the application sent."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def etag(self) -> str:
        return dict(self.fields)["etag"]


def get(url: str, tag: str = "") -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", PATH, headers={"If-None-Match": tag} if tag else {})
    with closing(connection), connection.getresponse() as answer:
        fields = [(name.lower(), value) for name, value in answer.getheaders()]
        sent = [pair for pair in fields if pair[0] not in ("server", "date")]
        return Answer(answer.status, sent, answer.read())


def compare(servers: dict[str, Server], rounds: int, seconds: int) -> None:
    tags = {name: get(server.url).etag for name, server in servers.items()}
    size = len(get(servers[OURS].url).body)
    found: dict[tuple[str, str], list[Run]] = {}
    names = list(servers)
    for case in CASES:
        for name in names:  # a first run warms up, and is not counted
            ask(servers[name], 1, tags[name] if case == "304" else "")
            found[case, name] = []
        for turn in range(rounds):
            for name in names[:: -1 if turn % 2 else 1]:
                tag = tags[name] if case == "304" else ""
                found[case, name].append(ask(servers[name], seconds, tag))
    print(f"A feed of {size:,} bytes, {rounds} rounds of {seconds} s\n")
    print("| answer | server | requests/s | p99 ms | CPU µs a request | CPU, times nginx's |")
    print("|---|---|---|---|---|---|")
    for (case, name), runs in found.items():
        rate, slow, cpu = (
            statistics.median(getattr(run, field) for run in runs)
            for field in ("rate", "slow", "cpu")
        )
        ratios = times(runs, found[case, STATIC])
        print(
            f"| {case} | {name} | {rate:,.0f} | {slow:.1f} | {cpu:.1f} |"
            f" {statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f}) |"
        )
    print()
    for case in CASES:
        print(words(case, {name: found[case, name] for name in names}))


def times(runs: list[Run], base: list[Run]) -> list[float]:
    return [run.cpu / other.cpu for run, other in zip(runs, base, strict=True)]


def words(case: str, by_server: dict[str, list[Run]]) -> str:
    """Say in words how ours compares, and where the limit of its server lies."""
    ours, nginx, alone = (by_server[name] for name in (OURS, STATIC, ALONE))
    reached = 1 / statistics.median(times(ours, nginx))
    limit = 1 / statistics.median(times(alone, nginx))
    of_limit = 1 / statistics.median(times(ours, alone))
    return (
        f"- {case}: per second of CPU this program sends {reached:.2f} times the responses of"
        f" nginx. Granian alone, its limit, sends {limit:.2f} times those of nginx; this program"
        f" reaches {of_limit:.2f} of the limit."
    )


if __name__ == "__main__":
    main()
