"""Notices that the configuration file was changed."""

from pathlib import Path


class FileWatch:
    """Compares a file's modification time with the last one seen."""

    def __init__(self, path: str) -> None:
        """Take the file as it is now for unchanged."""
        self._path = path
        self._modified = 0
        self._modified = self._stat()

    def has_changed(self) -> bool:
        """Return whether the file was modified since the last call.

        A missing file is unchanged: an editor may be replacing it.
        """
        before, self._modified = self._modified, self._stat()
        return self._modified != before

    def forget(self) -> None:
        """Let the next call find the file changed."""
        self._modified = 0

    def _stat(self) -> int:
        try:
            return Path(self._path).stat().st_mtime_ns
        except OSError:
            return self._modified
