"""Notices changes of the configuration file, and reloads it."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import xxhash

from aggregator.config import file
from aggregator.config.snapshot import read, save
from aggregator.errors import AggregatorError, ConfigError
from aggregator.models.config import Config

logger = logging.getLogger("aggregator")

CHECK_SECONDS = 2.0


_State = tuple[int | bytes, ...]


class FileWatch:
    """Compares a file with how it was last seen.

    The modification time alone misses a file that another one replaced, as a deployment or the
    mount of a container does: archives and images often give all their files one time.
    """

    def __init__(self, path: str) -> None:
        """Take the file as it is now for unchanged."""
        self._path = path
        self._state: _State = ()
        self._state = self._read()

    def has_changed(self) -> bool:
        """Return whether the file was modified or replaced since the last call.

        A missing file is unchanged: an editor may be replacing it.
        """
        before, self._state = self._state, self._read()
        return self._state != before

    def forget(self) -> None:
        """Let the next call find the file changed."""
        self._state = ()

    def _read(self) -> _State:
        path = Path(self._path)
        try:
            stat, digest = path.stat(), xxhash.xxh3_128_digest(path.read_bytes())
        except OSError:
            return self._state
        return stat.st_mtime_ns, stat.st_ino, stat.st_size, digest


class LiveConfig:
    """The configuration in force: reloaded when the file changes and is valid."""

    def __init__(
        self,
        path: str,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], float],
        loaded: Callable[[Config], None] = lambda _: None,
        snapshot: str = "",
    ) -> None:
        """Load the file, or the snapshot if the file is invalid.

        Args:
            path: The file.
            environ: The source of the values of `${NAME}`.
            clock: Seconds, monotonic.
            loaded: Called with each configuration that comes into force.
            snapshot: Path for a copy of the last valid file, "" for none.

        Raises:
            ConfigError: The file is invalid, and there is no snapshot.
        """
        self._path, self._environ, self._clock, self._loaded = path, environ, clock, loaded
        self._snapshot = snapshot
        self._watch = FileWatch(path)
        try:
            self._config = self._load()
        except ConfigError as error:
            text = read(snapshot) if snapshot else None
            if text is None:
                raise
            logger.warning("event=config_refused used=%s error=%r", snapshot, str(error))
            self._config = self._use(file.parse(text, path, environ))
        self._checked = clock()
        self._checking = threading.Lock()

    def __call__(self) -> Config:
        """Return the configuration; while the file is invalid, the last valid one."""
        is_due = self._clock() - self._checked > CHECK_SECONDS
        if is_due and self._checking.acquire(blocking=False):
            try:
                self._checked = self._clock()
                if self._watch.has_changed():
                    self._config = self._load()
            except AggregatorError:
                pass  # the scheduler reads the same file and reports the error on the status page
            finally:
                self._checking.release()
        return self._config

    def _load(self) -> Config:
        text = file.read_text(self._path)
        config = self._use(file.parse(text, self._path, self._environ))
        if self._snapshot:
            try:
                save(self._snapshot, text)
            except OSError as error:
                logger.warning("event=config_not_copied error=%r", str(error))
        return config

    def _use(self, config: Config) -> Config:
        self._loaded(config)
        return config
