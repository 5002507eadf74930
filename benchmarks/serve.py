"""Measure requests a second for a merged feed, compared with nginx and plain Flask.

    python -m benchmarks.serve [--rounds 9] [--seconds 1]

wrk requests a feed of about 60 kB over 64 connections, in full (200) and with If-None-Match (304).
nginx serves the same bytes as a static file; plain Flask returns them from a view, on the same
server as ours (granian). Each server has one worker on the first core with one Python thread; wrk
has one thread on the last core. All is loopback, uncompressed.

Other work on the machine slows all of them, so rounds are short and many, every second one runs in
reverse order, and ratios compare two runs of one round, given as median (min, max).
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.models.entry import SafeHtml
from tests.web.sample_store import CONFIG, SampleStore, make_entry, open_sample

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)

CONFIG_YAML = """
site: {{title: Bench, base_url: "https://site.example"}}
storage: {{path: "{folder}/test.db"}}
sources: [{{id: herald, url: "https://herald.example/feed"}}]
"""
NGINX = """
daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/atom+xml; sendfile on; keepalive_requests 1000000;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""
FLASK = """
from flask import Flask, Response, request
BODY = open({file!r}, "rb").read()
app = Flask(__name__)
@app.get("/feeds/all.atom")
def feed():
    made = Response(BODY, mimetype="application/atom+xml")
    made.set_etag("static")
    return made.make_conditional(request)
"""
PATH = "/feeds/all.atom"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def granian(target: str, port: int, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers",
        "1", "--blocking-threads", "1", "--no-ws", "--log-level", "error", *options, target,
    ]  # fmt: skip


@contextmanager
def running(command: list[str], port: int, **environ: str) -> Iterator[str]:
    """Run a server on the first core; yield its address once it responds."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command], env=dict(os.environ) | environ, start_new_session=True
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}{PATH}"
    finally:
        process.terminate()
        process.wait()


def ask(url: str, seconds: int, tag: str) -> tuple[float, float]:
    """Return requests a second and the 99th percentile in milliseconds."""
    header = ["-H", f"If-None-Match: {tag}"] if tag else []
    last = (os.cpu_count() or 1) - 1
    command = ["taskset", "-c", str(last), "wrk", "-t1", "-c64", f"-d{seconds}s", "--latency"]
    out = subprocess.run([*command, *header, url], capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    assert rate, out
    assert slow, out
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


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
    missing = [name for name in ("nginx", "wrk", "taskset") if not shutil.which(name)]
    if missing:
        print(f"left out: {', '.join(missing)} not installed (Debian: nginx-light, wrk)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with open_sample(folder, replace(CONFIG, sources=CONFIG.sources[:1])) as sample:
            fill(sample)
        (folder / "sources.yaml").write_text(CONFIG_YAML.format(folder=folder))
        compare(folder, args.rounds, args.seconds)


def compare(folder: Path, rounds: int, seconds: int) -> None:
    ports = [free_port() for _ in range(3)]
    config = str(folder / "sources.yaml")
    ours = granian("aggregator.web.app:serve_app", ports[0], "--factory")
    with running(ours, ports[0], AGGREGATOR_CONFIG=config) as our_url:
        body = urllib.request.urlopen(our_url).read()
        file = folder / "www" / "feeds" / "all.atom"
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=ports[1]))
        (folder / "plain.py").write_text(FLASK.format(file=str(file)))
        nginx = ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
        plain = granian("plain:app", ports[2], "--working-dir", str(folder))
        with running(nginx, ports[1]) as nginx_url, running(plain, ports[2]) as flask_url:
            urls = {"nginx": nginx_url, "ours": our_url, "plain Flask": flask_url}
            report(urls, len(body), rounds, seconds)


def report(urls: dict[str, str], size: int, rounds: int, seconds: int) -> None:
    tags = {n: urllib.request.urlopen(url).headers["ETag"] for n, url in urls.items()}
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    servers = list(urls)
    for case in ("304", "200"):
        for server in servers:  # a first run warms up, and is not counted
            ask(urls[server], 1, tags[server] if case == "304" else "")
            found[case, server] = []
        for turn in range(rounds):
            for server in servers[:: -1 if turn % 2 else 1]:
                tag = tags[server] if case == "304" else ""
                found[case, server].append(ask(urls[server], seconds, tag))
    print(f"A feed of {size:,} bytes, {rounds} rounds of {seconds} s\n")
    print("| answer | server | requests/s | p99 ms | of nginx's |")
    print("|---|---|---|---|---|")
    for (case, server), rows in found.items():
        pairs = zip(rows, found[case, "nginx"], strict=True)
        ratios = [row[0] / base[0] for row, base in pairs]
        rate, slow = (statistics.median(row[n] for row in rows) for n in range(2))
        print(
            f"| {case} | {server} | {rate:,.0f} | {slow:.1f} | {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f}, {max(ratios):.2f}) |"
        )


if __name__ == "__main__":
    main()
