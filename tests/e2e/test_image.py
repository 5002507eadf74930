"""The image as a container engine runs it: user 1000, a read-only root and one volume.

`make image` runs this as root. No engine is needed: buildah builds the image, and a mount namespace
with a changed root stands for the container. Where no registry can be reached, debootstrap makes
the image's base.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.e2e import processes
from tests.e2e.service import Running, free_port, wait_for
from tests.feedserver import FeedServer

ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/debian:trixie-slim"
NAME = "feed-aggregator-test"
TITLE = "A story for the volume"
FEED = f"""<rss version="2.0"><channel><title>Loop</title><link>http://loop.example/</link>
<item><guid>1</guid><title>{TITLE}</title></item></channel></rss>"""

MOUNT = """
set -e
mount --make-rprivate /
mount --bind {root} {root}
mount -o remount,bind,ro {root}
mount --rbind /dev {root}/dev
mount -t proc proc {root}/proc
mount --bind {config} {root}/etc/aggregator
mount -o remount,bind,ro {root}/etc/aggregator
mount --bind {data} {root}/data
exec chroot --userspec={user} {root} env -i {command}
"""


def sh(*command: str | Path, timeout: float = 1200) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The root file system of the built image, and its configuration."""
    if not request.config.getoption("--image"):
        pytest.skip("give --image, as root and with buildah, to build and try the image")
    if not sh("buildah", "images", "-q", "--filter", f"reference={BASE}"):
        make_base(tmp_path_factory.mktemp("base"))
    certificates = Path("/etc/ssl/certs")  # also those of a proxy that the machine trusts
    volume = ("-v", f"{certificates}:{certificates}:ro") if certificates.is_dir() else ()
    sh(
        *("buildah", "bud", "--isolation", "chroot", "--pull-never", "--layers", *volume),
        *("-f", ROOT / "config" / "deploy" / "Containerfile", "-t", NAME, ROOT),
    )
    container = sh("buildah", "from", "--pull-never", NAME)
    inspected = json.loads(sh("buildah", "inspect", "--type", "image", NAME))
    yield Path(sh("buildah", "mount", container)), inspected["OCIv1"]["config"]
    sh("buildah", "rm", container)


def make_base(folder: Path) -> None:
    """Pull the image's base, or make one like it where no registry can be reached."""
    pull = ("buildah", "pull", "-q", BASE)
    with contextlib.suppress(subprocess.TimeoutExpired):
        if not subprocess.run(pull, capture_output=True, timeout=120).returncode:
            return
    tree = folder / "tree"
    make = ("debootstrap", "--variant=minbase", "--include=ca-certificates", "trixie", str(tree))
    if subprocess.run(make, capture_output=True, timeout=1200).returncode:
        pytest.skip("neither a registry of images nor a mirror of Debian can be reached")
    container = sh("buildah", "from", "scratch")
    sh("buildah", "add", "-q", container, tree, "/")
    sh("buildah", "commit", "-q", "--rm", container, BASE)
    shutil.rmtree(tree)


pytestmark = pytest.mark.timeout(1500)  # of which the base may take some minutes

Start = Callable[..., Running]


@pytest.fixture
def start(image: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[Start]:
    """Starts the image's command, or the given one, in a container."""
    root, config = image
    for name in ("config", "data"):
        (tmp_path / name).mkdir()
    os.chown(tmp_path / "data", 1000, 1000)
    started: list[Running] = []

    def start(*command: str) -> Running:
        words = [*config["Env"], *config["Entrypoint"], *(command or config["Cmd"])]
        script = MOUNT.format(
            root=root,
            user=config["User"],
            config=tmp_path / "config",
            data=tmp_path / "data",
            command=shlex.join(words),
        )
        log = tmp_path / f"log {len(started)}"
        started.append(Running(("unshare", "--mount", "sh", "-c", script), tmp_path, log))
        return started[-1]

    yield start
    for running in started:
        running.end()


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        return str(response.read().decode())


def users(running: Running) -> set[str]:
    """The real, effective, saved and file-system user ids of all its processes."""
    found = set()
    for process in processes.of_session(running.pid):
        status = Path(f"/proc/{process.pid}/status").read_text()
        found |= set(status.partition("Uid:")[2].partition("\n")[0].split())
    return found


def test_it_runs_as_user_1000_with_a_read_only_root_and_writes_to_its_volume(
    start: Start, feed_server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed_server.reply("/feed", body=FEED.encode())
    # The path is that of the starter file.
    tmp_path.joinpath("config", "sources.yaml").write_text(f"""
storage: {{path: data/aggregator.db}}
network: {{allow: [127.0.0.0/8]}}
sources: [{{id: loop, url: "{feed_server.url("/feed")}", every: 1h}}]
""")
    port = free_port()
    began = time.monotonic()
    running = start("run", "--host", "0.0.0.0", "--port", str(port))
    wait_for(lambda: page(port))
    served = time.monotonic() - began
    wait_for(lambda: TITLE in page(port))
    wait_for(lambda: start("healthcheck", "--port", str(port)).wait() == 0)
    assert users(running) == {"1000"}
    assert start("healthcheck", "scheduler").wait() == 0

    began = time.monotonic()
    running.send(signal.SIGTERM)
    assert running.wait() == 0, running.log
    stopped = time.monotonic() - began
    assert "Read-only" not in running.log, running.log
    names = [path.name for path in (tmp_path / "data").iterdir()]
    assert "aggregator.db" in names
    assert all(name.startswith("aggregator.db") for name in names)
    with capsys.disabled():
        sys.stdout.write(f"\nimage: first page after {served:.1f} s, end after {stopped:.1f} s\n")


def test_it_says_what_is_missing_without_a_configuration(start: Start) -> None:
    running = start()
    assert running.wait() == 2
    assert "/etc/aggregator/sources.yaml" in running.log


def test_it_has_no_package_installer_and_no_compiler(image: tuple[Path, dict[str, Any]]) -> None:
    root, _ = image
    assert not (root / "opt/aggregator/bin/pip").exists()
    assert not (root / "usr/bin/gcc").exists()
    assert not (root / "src").exists()
