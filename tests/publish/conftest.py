"""A newsroom whose site is built as files, and a plain server of files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aggregator.models.config import Config
from aggregator.models.entry import Author
from aggregator.publish.build import Report, build
from tests.web.sample_store import CONFIG, SampleStore, make_entry, open_sample

NAMES = ("Weather", "Sea & sky", "Café", "a/b", "../up", "Rare")


@dataclass
class Newsroom:
    """A sample store, and the folder of its site."""

    sample: SampleStore
    folder: Path
    config: Config

    def publish(self, source_id: str, *, link: str = "", age: timedelta = timedelta(0)) -> int:
        """Add an entry with topics and an author; entries with one link are one story."""
        sample = self.sample
        sample.number += 1
        number = sample.number
        entry = make_entry(number, sample.now - age)
        names = {NAMES[number % len(NAMES)], NAMES[number % 4]}
        entry = replace(
            entry,
            categories=tuple(sorted(names)),
            authors=(Author(name=f"Ann {number % 3}"),),
            canonical_url=link or entry.canonical_url,
        )
        return sample.put(source_id, entry)

    def build(self, folder: Path | None = None, **options: bool) -> Report:
        """Build the site, by default into its folder."""
        return build(
            self.config, folder or self.folder, now=self.sample.now, processes=1, **options
        )

    def files(self, folder: Path | None = None) -> dict[str, bytes]:
        """Return the files of the site, without the manifest."""
        return {
            path.relative_to(folder or self.folder).as_posix(): path.read_bytes()
            for path in (folder or self.folder).rglob("*")
            if path.is_file() and not path.name.startswith(".aggregator")
        }


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    config = replace(CONFIG, storage=str(tmp_path / "test.db"))
    with open_sample(tmp_path, config) as sample:
        yield Newsroom(sample, tmp_path / "public", config)


@contextmanager
def files_served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback as it is; yield its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
