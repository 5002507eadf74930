"""Commands on machines that lack something: a folder, disk space, a writable root, a stream."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.errors import AlreadyRunning
from aggregator.store.database.lock import Lock
from tests.e2e.service import free_port
from tests.feedserver import FeedServer
from tests.parse import rss


def test_one_database_by_two_paths_has_one_scheduler(tmp_path: Path) -> None:
    database, link = tmp_path / "news.db", tmp_path / "folder" / "link.db"
    link.parent.mkdir()
    database.touch()
    link.symlink_to(database)
    lock = Lock(str(database))
    with pytest.raises(AlreadyRunning):
        Lock(str(link))
    lock.release()


def test_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "sources.yaml"
    source = "sources: [{id: a, url: https://a.example/feed}]"
    config.write_text(f"storage: {{path: {tmp_path}/file/news.db}}\n{source}\n")
    result = CliRunner().invoke(main, ["--config", str(config), "status"])
    assert result.exit_code == 2
    assert "the database's folder can't be made (File exists)" in result.output


PROGRAM = shlex.join([sys.executable, "-m", "aggregator"])

READ_ONLY = """
mount -t tmpfs tmpfs "$1" && cp "$2" "$1/sources.yaml" || exit 99
for mount in $(awk '{print $2}' /proc/mounts); do
    case "$mount" in /proc*|/sys*|/dev*|"$1") ;; *) mount -o remount,bind,ro "$mount" ;; esac
done
cd "$1" && unset TMPDIR TEMP TMP && export HOME=/nonexistent
touch /tmp/writable 2>/dev/null && exit 99
shift 2
eval "$@"
"""
"""Runs a command where only the folder $1 can be written; exits with 99 if that can't be made."""


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell command; each `aggregator` in it is this program, with a configuration."""
    shell = f'aggregator() {{ {PROGRAM} --config sources.yaml "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", shell],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def configure(folder: Path, database: str = "news.db", source: str = "http://127.0.0.1:1/") -> Path:
    path = folder / "sources.yaml"
    path.write_text(
        f"storage: {{path: {database}}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{source}'}}]\n"
    )
    return path


def test_read_only_root_with_one_writable_folder(tmp_path: Path, feed_server: FeedServer) -> None:
    """As in a container."""
    feed_server.reply("/feed", body=rss("<item><title>A</title><guid>a</guid></item>"))
    (folder := tmp_path / "data").mkdir()
    config = configure(tmp_path, str(folder / "news.db"), source=feed_server.url("/feed"))
    port = free_port()
    served = (
        "import time,urllib.request as u\n"
        "for n in range(300):\n"
        f"  try: print(u.urlopen('http://127.0.0.1:{port}/readyz').status); break\n"
        "  except OSError: time.sleep(0.1)\n"
    )
    server = f'{sys.executable} -c "$SERVED"; kill $!; wait $!; echo ended $?'
    commands = (
        f'program() {{ {PROGRAM} --config sources.yaml "$@"; }};'
        " program poll && program backup copy.db && program restore --yes copy.db"
        " && program export --output subs.opml && program import subs.opml"
        " && program doctor news && program status;"
        f" cd /; {PROGRAM} --config {folder}/sources.yaml run --port {port} & {server}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", READ_ONLY, "sh", str(folder), str(config), commands],
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "SERVED": served},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip("making a read-only root needs to be root, with unshare and mount")
    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    assert "error:" not in printed
    assert "new entries     1" in printed
    assert "copy.db:" in printed
    assert "1 of 1 sources: 1 fine" in printed
    assert "200\nended 0" in printed, printed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with some files that are no databases."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "locked.db.lock").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "subs.opml").write_text("<opml/>")
    return tmp_path


@pytest.mark.parametrize(
    ("database", "command", "message"),
    [
        ("folder", "status", "folder: is a folder. Name a file"),
        ("locked.db", "poll", "locked.db.lock: can't be written (Is a directory)"),
        ("fifo", "status", "fifo: can't be read or written"),
        ('"a\\0b"', "check", "has a NUL character"),
        ("news.db", "backup none/copy.db", "none/copy.db.partial: can't be opened"),
        ("news.db", "restore --yes subs.opml", "subs.opml: this file is not an SQLite"),
    ],
)
def test_file_that_is_no_database_is_one_line(
    folder: Path, database: str, command: str, message: str
) -> None:
    config = configure(folder, database)
    result = CliRunner().invoke(main, ["--config", str(config), *command.split()])
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("(ulimit -f 50; aggregator status)", "news.db: the disk can't be written"),
        (
            "aggregator status >/dev/null; (ulimit -f 50; aggregator backup copy.db)",
            "copy.db.partial: the disk can't be written",
        ),
        ("aggregator --help > /dev/full", "No space left on device"),
        ("aggregator export > /dev/full", "No space left on device"),
    ],
)
def test_full_disk_is_one_line(tmp_path: Path, command: str, message: str) -> None:
    configure(tmp_path)
    done = run(command, tmp_path)
    assert done.returncode == 2, done.stdout
    assert message in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("command", ["export", "status"])
def test_closed_output_is_no_error(tmp_path: Path, command: str) -> None:
    configure(tmp_path)
    done = run(f"aggregator {command} >&-", tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
