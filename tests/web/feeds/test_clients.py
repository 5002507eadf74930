"""Feeds in other programs, over real HTTP: repeated requests are answered 304."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.web.app import create_app
from tests.web.sample_store import CONFIG, START, open_sample
from tests.web.server import served


class Counted:
    """A WSGI wrapper that records requests and the status of their responses."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.log: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        def note(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self.log.append((environ["PATH_INFO"], status[:3]))
            return start(status, headers, *rest)

        return self.app(environ, note)  # type: ignore[no-any-return]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Counted]]:
    with open_sample(tmp_path, CONFIG) as sample:
        sample.add("herald", 5)
        app = create_app(lambda: CONFIG, sample.store, clock=lambda: START)
        counted = Counted(app.wsgi_app)
        app.wsgi_app = counted  # type: ignore[method-assign, assignment]
        with served(app) as address:
            yield address, counted


def run(*command: str | Path, home: Path, stdin: str = "") -> str:
    """Run a program with its own home folder and return its output."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(part) for part in command],
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not installed here"
    )


TITLES = [f"Report {number}" for number in range(5, 0, -1)]


@needs("newsboat")
@pytest.mark.parametrize("format", ["atom", "rss"])
def test_newsboat(site: tuple[str, Counted], tmp_path: Path, format: str) -> None:
    address, counted = site
    (tmp_path / "urls").write_text(f"{address}/feeds/all.{format}\n")
    (tmp_path / "config").write_text("")
    files = ("-u", tmp_path / "urls", "-c", tmp_path / "cache.db", "-C", tmp_path / "config")
    command = ("newsboat", *files, "-x", "reload")
    run(*command, home=tmp_path)
    cache = sqlite3.connect(tmp_path / "cache.db")
    rows = cache.execute("select title, url from rss_item order by pubDate desc, id").fetchall()
    cache.close()
    assert sorted(title for title, _ in rows) == sorted(TITLES)
    assert all(url.startswith("https://news.example/") for _, url in rows)
    # It has no row to keep validators in while it reads a feed for the first time, so its second
    # look is unconditional with any server; the third is the first that can be answered with 304.
    run(*command, home=tmp_path)
    run(*command, home=tmp_path)
    assert counted.log[-1][1] == "304"


@needs("sfeed_update")
@pytest.mark.parametrize("format", ["atom", "rss"])
def test_sfeed(site: tuple[str, Counted], tmp_path: Path, format: str) -> None:
    address, counted = site
    if shutil.which("curl") is None:
        pytest.skip("curl, which sfeed_update fetches with, is not installed here")
    (tmp_path / "sfeedrc").write_text(
        f'sfeedpath="{tmp_path}/feeds"\n'
        f"feeds() {{ feed 'ours' '{address}/feeds/all.{format}'; }}\n"
        'fetch() { curl -s -f -m 15 --etag-save "$sfeedpath/$1.etag" '
        '--etag-compare "$sfeedpath/$1.etag" "$2" 2>/dev/null; }\n'
    )
    (tmp_path / "feeds").mkdir()
    run("sfeed_update", tmp_path / "sfeedrc", home=tmp_path)
    lines = (tmp_path / "feeds" / "ours").read_text().splitlines()
    assert sorted(line.split("\t")[1] for line in lines) == sorted(TITLES)
    run("sfeed_update", tmp_path / "sfeedrc", home=tmp_path)
    assert [status for _, status in counted.log] == ["200", "304"]


@needs("r2e")
@pytest.mark.parametrize("format", ["atom", "rss"])
def test_rss2email(site: tuple[str, Counted], tmp_path: Path, format: str) -> None:
    address, counted = site
    config, data = tmp_path / "r2e.cfg", tmp_path / "r2e.json"
    base = ("r2e", "-c", config, "-d", data)
    maildir = tmp_path / "mail"
    for folder in ("cur", "new", "tmp"):
        (maildir / "inbox" / folder).mkdir(parents=True)
    run(*base, "new", "reader@example.org", home=tmp_path)
    text = config.read_text()
    for name, value in (
        ("email-protocol", "maildir"),
        ("maildir-path", str(maildir)),
        ("maildir-mailbox", "inbox"),
    ):
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    config.write_text(text)
    run(*base, "add", "ours", f"{address}/feeds/all.{format}", home=tmp_path)
    run(*base, "run", home=tmp_path)
    mails = "".join(path.read_text() for path in (maildir / "inbox" / "new").iterdir())
    assert all(f"Subject: {title}" in mails for title in TITLES)
    sent = len(list((maildir / "inbox" / "new").iterdir()))
    run(*base, "run", home=tmp_path)
    assert len(list((maildir / "inbox" / "new").iterdir())) == sent == len(TITLES)
    assert [status for _, status in counted.log] == ["200", "304"]
