"""The folder of a site of files: its manifest, and files that are replaced as a whole."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from aggregator.errors import AggregatorError

MANIFEST = ".aggregator-build.json"
ASIDE = ".aggregator-build"
"""The folder of files that are not in place yet."""

FORMAT = 1
"""Format of the manifest; one of another format is taken for none."""


class NotOurs(AggregatorError):
    """The folder holds files that no build wrote, or another build is writing it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A file of the last build.

    Args:
        file: Its path in the folder.
        key: Of all that it shows, but for the entries and sources that it links to.
        entries: Ids of the entries that it links to.
        links: The other addresses on this site that it links to.
    """

    file: str
    key: str
    entries: tuple[int, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file that is not in place yet; `outcome` is new or changed."""

    file: str
    aside: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The data that a folder was built from.

    Args:
        site: Digest of the program, the configuration and the form of links.
        scopes: Versions of the change log.
        sources: Digest of each source.
        entries: Of each entry its source, digest and story.
        named: Categories and authors with a page, by noun.
        files: By address.
        is_finished: Whether the build came to its end.
    """

    site: str = ""
    scopes: dict[str, int] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    entries: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Built] = field(default_factory=dict)
    is_finished: bool = False


@contextmanager
def opened(folder: Path) -> Iterator[Manifest]:
    """Create a folder if it is missing, and keep other builds out; yield its manifest.

    Raises:
        NotOurs: The folder has files but no manifest, or another build is under way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotOurs(f"{folder}: another build is writing this folder") from None
        names = {path.name for path in folder.iterdir()}
        if names - {ASIDE} and MANIFEST not in names:
            raise NotOurs(
                f"{folder}: this folder has files that no build wrote, and a build would remove"
                " them. Name an empty or a new folder."
            )
        _remove_folder(folder / ASIDE)
        (folder / ASIDE).mkdir()
        yield load(folder)
        _remove_folder(folder / ASIDE)
    finally:
        os.close(handle)


def _remove_folder(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def load(folder: Path) -> Manifest:
    """Return the manifest of a folder, an empty one if it has none that can be read."""
    try:
        stored = json.loads((folder / MANIFEST).read_bytes())
        if stored.pop("format") != FORMAT:
            return Manifest()
        entries = {int(id): (one[0], one[1], one[2]) for id, one in stored.pop("entries").items()}
        files = {
            address: Built(file, key, tuple(ids), tuple(links))
            for address, (file, key, ids, links) in stored.pop("files").items()
        }
        return Manifest(**stored, entries=entries, files=files)
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest()


def save(folder: Path, manifest: Manifest) -> None:
    """Store the manifest of a folder."""
    files = {
        address: (built.file, built.key, built.entries, built.links)
        for address, built in manifest.files.items()
    }
    fields = {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}
    body = json.dumps({"format": FORMAT, **fields, "files": files}, separators=(",", ":"))
    _replace(folder / MANIFEST, body.encode())


def stage(folder: Path, file: str, body: bytes) -> Staged | None:
    """Write a file aside; return None if the folder has it with these bytes."""
    path = folder / file
    try:
        if path.read_bytes() == body:
            return None
        outcome = "changed"
    except FileNotFoundError:
        outcome = "new"
    aside = folder / ASIDE / f"{os.getpid()}-{next(_numbers)}"
    aside.write_bytes(body)
    return Staged(file=file, aside=aside.name, outcome=outcome)


_numbers = count()


def put_in_place(folder: Path, staged: Iterable[Staged]) -> None:
    """Rename staged files to their names, the new ones first: others link to them."""
    made: set[Path] = set()
    for one in sorted(staged, key=lambda one: one.outcome == "changed"):
        path = folder / one.file
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        (folder / ASIDE / one.aside).replace(path)


def _replace(path: Path, body: bytes) -> None:
    """Write a file under another name and rename it: a reader sees the old or the new one."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(body)
    part.replace(path)


def remove(folder: Path, files: Iterable[str]) -> int:
    """Remove files, and the folders that become empty; return how many files there were."""
    removed = 0
    for file in files:
        path = folder / file
        try:
            path.unlink()
            removed += 1
        except FileNotFoundError:
            pass
        for above in path.parents:
            if above == folder or not _remove_empty(above):
                break
    return removed


def _remove_empty(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def strays(folder: Path, files: Iterable[str]) -> list[str]:
    """Return the files of a folder that are not among the given ones, but for the manifest."""
    known = {*files, MANIFEST}
    found = (
        Path(above, name).relative_to(folder).as_posix()
        for above, _, names in os.walk(folder)
        for name in names
    )
    return [file for file in found if file not in known and not file.startswith(f"{ASIDE}/")]
