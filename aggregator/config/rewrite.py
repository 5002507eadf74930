"""Replace a configuration file: all of it or nothing, where it lies and with its owner and mode."""

import contextlib
import os
from pathlib import Path

from aggregator.errors import AggregatorError


def rewrite(path: str, text: str) -> None:
    """Write the text to an existing file; the caller has checked it.

    A symbolic link keeps pointing to its file. A file that can't be replaced, because it is mounted
    or its folder or owner is another user's, is overwritten.

    Raises:
        AggregatorError: The file can't be written; it is as before.
    """
    data = text.encode()
    try:
        file = Path(path).resolve(strict=True)
        if not _replace(file, data):
            _overwrite(file, data)
    except OSError as error:
        reason = error.strerror or error
        raise AggregatorError(
            f"{path} can't be written: {reason}. Nothing was changed; check its permissions and"
            " the space on its disk"
        ) from None


def create(path: str, text: str) -> None:
    """Write a new file, with its folders.

    Raises:
        AggregatorError: The file exists or can't be written.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="") as handle:
            handle.write(text)
    except FileExistsError:
        raise AggregatorError(f"{path} already exists; it was not changed") from None
    except OSError as error:
        raise AggregatorError(f"{path} can't be written: {error.strerror or error}") from None


def _replace(file: Path, data: bytes) -> bool:
    """Rename a complete copy over the file; return False if this user can't."""
    before = file.stat()
    temporary = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with open(temporary, "xb", opener=_open_private) as handle:
            handle.write(data)
            handle.flush()
            os.fchown(handle.fileno(), before.st_uid, before.st_gid)
            os.fchmod(handle.fileno(), before.st_mode & 0o7777)
            os.fsync(handle.fileno())
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return False
    return True


def _overwrite(file: Path, data: bytes) -> None:
    """Write over the file; on an error, put the old bytes back."""
    before = file.read_bytes()
    with file.open("r+b", buffering=0) as handle:
        try:
            _write(handle.fileno(), data)
        except OSError:
            _write(handle.fileno(), before)  # its blocks are still the file's
            raise


def _write(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
