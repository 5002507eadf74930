"""The lock beside the database: one process at a time polls into it."""

import fcntl
import os
from pathlib import Path
from typing import IO

from aggregator.errors import AlreadyRunning, StoreError


class Lock:
    """The lock of the one process that polls; the system frees it when the process ends."""

    def __init__(self, database: str) -> None:
        """Take the lock.

        Raises:
            AlreadyRunning: Naming the process that holds it.
            StoreError: The folder can't be written.
        """
        # Beside the file itself: a link to it names the same database.
        path = Path(f"{os.path.realpath(database)}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a+")
        except OSError as error:
            raise StoreError(
                f"{path}: can't be written ({error.strerror}). Check the owner and mode of file and"
                " folder, and that the disk is not mounted read-only."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunning(
                f"{database}: another scheduler (process {holder}) uses this database."
                " Stop it, or only serve pages: aggregator web"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Free the lock."""
        self._file.close()
