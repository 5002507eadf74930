"""Pictures of entries, fetched once when the first reader asks, and kept in a folder.

    kept | taken | fetch, by a few at a time | told by their bytes | kept

A picture that could not be had is kept too, as an empty file: nobody is asked again for a while.
The folder is a cache: it is bounded, and may be emptied at any time.
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
"""Pictures that are fetched at once; each holds a thread of the server for so long."""

LIMITS = Limits(connect=4.0, idle=5.0, total=10.0, body=5_000_000, redirects=5)
MOST_BYTES = 500_000_000
"""Kept of all pictures; those that were asked for least lately go first."""

BLOCK = 4_096
"""What even an empty file takes."""

RETRY = timedelta(hours=1)
LOOKED_AFTER = 100
"""The folder is measured once for so many new pictures."""

SHOWN = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")
"""What may be served: no SVG, which is a document with scripts."""

_HEADERS = {"Accept": ", ".join(SHOWN)}


class Busy(Exception):
    """So many pictures are being fetched that this one has to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as it came; the media type is what its bytes say."""

    type: str
    body: bytes


class Pictures:
    """Pictures by URL, for any number of threads."""

    def __init__(self, config: Config, *, most_bytes: int = MOST_BYTES) -> None:
        """Open nothing yet; the folder stands beside the database."""
        self._config, self._most = config, most_bytes
        self._folder = Path(f"{config.storage}.pictures")
        self._clients: queue.SimpleQueue[Client | None] = queue.SimpleQueue()
        for _ in range(SLOTS):
            self._clients.put(None)
        self._new = 0

    def get(self, url: str, now: datetime) -> Picture | None:
        """Return a picture, None when it can't be had at present.

        Raises:
            Busy: All that may fetch are at it.
        """
        file = self._folder / hashlib.sha256(url.encode()).hexdigest()
        known = _read(file, now)
        if known is not None:
            return _picture(known)
        body = self._fetch(url)
        self._keep(file, body, now)
        return _picture(body)

    def _fetch(self, url: str) -> bytes:
        """Return the bytes of a picture, none for anything else."""
        try:
            client = self._clients.get_nowait()
        except queue.Empty:
            raise Busy from None
        try:
            client = client or self._new_client()
            asked = Request(source_id="", url=url, headers=_HEADERS, limits=LIMITS, discover=False)
            outcome = client.fetch_one(asked)
        finally:
            self._clients.put(client)
        body = outcome.body if isinstance(outcome, Fetched) else b""
        return body if image_types.type_of(body) in SHOWN else b""

    def _new_client(self) -> Client:
        config = self._config
        return Client(user_agent=user_agent(config), allow=config.allow, proxy=config.proxy)

    def _keep(self, file: Path, body: bytes, now: datetime) -> None:
        new = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as new:
                new.write(body)
            os.utime(new.name, (now.timestamp(), now.timestamp()))
            Path(new.name).replace(file)
            if self._new % LOOKED_AFTER == 0:
                self._bound()
            self._new += 1
        except OSError:  # no room, or no right to write: it is shown all the same
            if new:
                with suppress(OSError):
                    Path(new.name).unlink(missing_ok=True)

    def _bound(self) -> None:
        """Delete what was asked for least lately until the folder has room again."""
        kept = [(file.stat(), file.path) for file in os.scandir(self._folder)]
        excess = sum(max(stat.st_size, BLOCK) for stat, _ in kept) - self._most
        for stat, path in sorted(kept, key=lambda one: one[0].st_mtime):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= max(stat.st_size, BLOCK)

    def close(self) -> None:
        """Close the connections of all clients that are at rest."""
        while not self._clients.empty():
            client = self._clients.get()
            if client is not None:
                client.close()


def _read(file: Path, now: datetime) -> bytes | None:
    """Return what is kept: no bytes for what could not be had a while ago, None for nothing."""
    try:
        kept = file.stat()
        if not kept.st_size and now.timestamp() - kept.st_mtime > RETRY.total_seconds():
            return None
        body = file.read_bytes()
    except OSError:
        return None
    if body:
        with suppress(OSError):  # it only tells what may be deleted first
            os.utime(file, (now.timestamp(), now.timestamp()))
    return body


def _picture(body: bytes) -> Picture | None:
    return Picture(type=image_types.type_of(body), body=body) if body else None
