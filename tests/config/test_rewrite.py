"""The file is replaced with its owner and mode kept, or left as it was."""

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.config.rewrite import create, rewrite
from aggregator.errors import AggregatorError


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_symbolic_link_and_its_target_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "file.yaml", tmp_path / "link.yaml"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(Path("real") / "file.yaml")
    rewrite(str(link), "new")
    assert link.readlink() == Path("real/file.yaml")
    assert target.read_text() == "new"
    assert names(target.parent) == ["file.yaml"]


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("old")
    path.chmod(mode)
    rewrite(str(path), "new: ü\r\n")
    assert path.read_bytes() == "new: ü\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("old")
    os.chown(path, 1234, 5678)
    rewrite(str(path), "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


WITHOUT_RIGHTS = """
import os, sys
from aggregator.config.rewrite import rewrite
from aggregator.errors import AggregatorError
os.setgid(4321)
os.setuid(4321)
try:
    rewrite(sys.argv[1], "new and longer")
except AggregatorError as error:
    print(error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("mode", "text"), [(0o666, "new and longer"), (0o644, "old")])
def test_a_file_of_another_user_is_overwritten_if_it_may_be(mode: int, text: str) -> None:
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        folder.chmod(0o755)
        path = folder / "file.yaml"
        path.write_text("old")
        path.chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, path], capture_output=True, text=True
        )
        assert ("Permission denied. Nothing was changed" in done.stdout) == (text == "old")
        assert path.read_text() == text
        assert names(folder) == ["file.yaml"]
    finally:
        path.unlink()
        folder.rmdir()


def test_a_write_that_fails_leaves_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("old " * 100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(AggregatorError, match=r"File too large\. Nothing was changed"):
            rewrite(str(path), "new " * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old " * 100
    assert names(tmp_path) == ["file.yaml"]


def test_a_new_file_gets_its_folders_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.yaml"
    create(str(path), "new")
    assert path.read_text() == "new"
    with pytest.raises(AggregatorError, match="already exists"):
        create(str(path), "other")
    assert path.read_text() == "new"
