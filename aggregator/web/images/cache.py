"""A cache of entries' images: each is fetched when it is first requested, and stored in a folder.

A failed fetch is stored as an empty file, and not repeated for a while. The size of the folder is
bounded, and it may be emptied at any time.
"""

import hashlib
import os
import queue
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.models import image_types
from aggregator.models.config import Config, Limits
from aggregator.models.poll import Fetched, Request

SLOTS = 8
"""Images fetched at the same time; each occupies a thread of the web server."""

LIMITS = Limits(connect=4.0, idle=5.0, total=10.0, body=5_000_000, redirects=5)
MAX_BYTES = 500_000_000
"""Size of the folder; the images requested least recently are deleted first."""

BLOCK = 4_096
"""Disk space of an empty file."""

RETRY = timedelta(hours=1)
CHECK_EVERY = 100
"""New images between two checks of the size of the folder."""

SERVED_TYPES = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")
"""Not SVG, which may contain scripts."""

_HEADERS = {"Accept": ", ".join(SERVED_TYPES)}


class Busy(Exception):
    """All slots are in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedImage:
    """An image; the media type is detected from its bytes."""

    type: str
    body: bytes


class ImageCache:
    """Images by URL; safe for threads."""

    def __init__(self, config: Config, *, max_bytes: int = MAX_BYTES) -> None:
        """Use a folder beside the database; it is created with the first image."""
        self._config, self._max_bytes = config, max_bytes
        self._folder = Path(f"{config.storage}.pictures")
        self._clients: queue.SimpleQueue[Client | None] = queue.SimpleQueue()
        for _ in range(SLOTS):
            self._clients.put(None)
        self._new = 0

    def get(self, url: str, now: datetime) -> CachedImage | None:
        """Return an image, None when it can't be fetched now.

        Raises:
            Busy: All slots are in use.
        """
        file = self._folder / hashlib.sha256(url.encode()).hexdigest()
        stored = _read(file, now)
        if stored is not None:
            return _image(stored)
        body = self._fetch(url)
        self._store(file, body, now)
        return _image(body)

    def _fetch(self, url: str) -> bytes:
        """Return the bytes of an image, b"" on failure and for other types."""
        try:
            client = self._clients.get_nowait()
        except queue.Empty:
            raise Busy from None
        try:
            client = client or self._new_client()
            wanted = Request(source_id="", url=url, headers=_HEADERS, limits=LIMITS, discover=False)
            outcome = client.fetch_one(wanted)
        finally:
            self._clients.put(client)
        body = outcome.body if isinstance(outcome, Fetched) else b""
        return body if image_types.type_of(body) in SERVED_TYPES else b""

    def _new_client(self) -> Client:
        config = self._config
        return Client(user_agent=user_agent(config), allow=config.allow, proxy=config.proxy)

    def _store(self, file: Path, body: bytes, now: datetime) -> None:
        partial = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(descriptor, "wb") as new:
                new.write(body)
            os.utime(partial, (now.timestamp(), now.timestamp()))
            Path(partial).replace(file)
            if self._new % CHECK_EVERY == 0:
                self._shrink()
            self._new += 1
        except OSError:  # disk full or not writable: the image is served all the same
            if partial:
                with suppress(OSError):
                    Path(partial).unlink(missing_ok=True)

    def _shrink(self) -> None:
        """Delete the images requested least recently until the folder is within its limit."""
        files = [(file.stat(), file.path) for file in os.scandir(self._folder)]
        excess = sum(max(stat.st_size, BLOCK) for stat, _ in files) - self._max_bytes
        for stat, path in sorted(files, key=lambda file: file[0].st_mtime):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= max(stat.st_size, BLOCK)

    def close(self) -> None:
        """Close the connections of all idle clients."""
        while not self._clients.empty():
            client = self._clients.get()
            if client is not None:
                client.close()


def _read(file: Path, now: datetime) -> bytes | None:
    """Return the stored bytes, b"" for a recent failure, None when there is nothing."""
    try:
        stat = file.stat()
        if not stat.st_size and now.timestamp() - stat.st_mtime > RETRY.total_seconds():
            return None
        body = file.read_bytes()
    except OSError:
        return None
    if body:
        with suppress(OSError):  # the time only decides which file is deleted first
            os.utime(file, (now.timestamp(), now.timestamp()))
    return body


def _image(body: bytes) -> CachedImage | None:
    return CachedImage(type=image_types.type_of(body), body=body) if body else None
