"""The built wheel, installed alone outside the checkout, is the whole program."""

import io
import os
import signal
import site
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from aggregator.demo.publisher import Publisher
from tests.e2e.service import free_port
from tests.e2e.test_addresses import opener
from tests.web.crawl import crawl

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    run(*build, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel and, by path, its dependencies.

    A path that a .pth file names is not searched for .pth files of its own, so the checkout, which
    is installed as editable here, is not seen from there.
    """
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    packages.joinpath("lent.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin"


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "aggregator").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    folders = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"aggregator"}


def test_installed_package_imports_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    walk = """
import importlib, pkgutil, aggregator
for module in pkgutil.walk_packages(aggregator.__path__, "aggregator."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(aggregator.__file__)
"""
    place = run(installed / "python", "-W", "error", "-c", walk, cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(installed.parent)


@pytest.mark.parametrize("name", ["demo.yaml", "sources.yaml"])
def test_installed_package_has_the_yaml_files(installed: Path, tmp_path: Path, name: str) -> None:
    ask = f"from aggregator.demo import starter; print(starter.path({name!r}).read_text())"
    text = run(installed / "python", "-c", ask, cwd=tmp_path, PYTHONIOENCODING="utf-8")
    assert text.strip() == ROOT.joinpath("config", name).read_text().strip()


# --- the installed command -----------------------------------------------------------------------


def environ(installed: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"} | more


@contextmanager
def running(*command: str | Path, cwd: Path, env: dict[str, str], code: int = 0) -> Iterator[None]:
    """Run a service as a user does in a terminal; in the end, Ctrl-C must stop it with `code`."""
    with (cwd / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(15) == code, (cwd / "log").read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def get(url: str) -> bytes:
    """Read a URL, b"" while no server answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, ConnectionError):
        return b""


def titles(url: str) -> set[str]:
    return {entry.title for entry in feedparser.parse(io.BytesIO(get(url))).entries}


def wait_for_titles(url: str, cwd: Path, *, other_than: set[str], seconds: float) -> set[str]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := titles(url) - other_than:
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing new at {url}:\n{(cwd / 'log').read_text()}")


def test_demo_is_alive_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    command = (installed / "aggregator", "demo", "--port", str(port))
    site = f"http://127.0.0.1:{port}"
    with running(*command, cwd=tmp_path, env=environ(installed)):
        first = wait_for_titles(f"{site}/feeds/all.atom", tmp_path, other_than=set(), seconds=60)
        wait_for_titles(f"{site}/feeds/all.atom", tmp_path, other_than=first, seconds=60)
        assert b"The Demonstrator" in get(f"{site}/")
        assert b"The Torn Gazette" in get(f"{site}/status")
    assert tmp_path.joinpath("data", "demo.db").exists()


def test_procfile_runs_two_processes_on_one_database(installed: Path, tmp_path: Path) -> None:
    publisher = Publisher("127.0.0.1", 0, clock=lambda: datetime.now(UTC))
    publisher.start()
    config = tmp_path / "sources.yaml"
    config.write_text(f"""
storage: {{path: {tmp_path}/here.db}}
network: {{allow: [127.0.0.0/8]}}
sources: [{{id: world, url: "{publisher.url}/world.rss", every: 5s}}]
""")
    port = free_port()
    honcho = (sys.executable, "-m", "honcho", "start", "-f", ROOT / "Procfile", "-d", tmp_path)
    env = environ(installed, AGGREGATOR_CONFIG=str(config), PYTHONUNBUFFERED="1")
    try:
        with running(*honcho, "-p", str(port), cwd=tmp_path, env=env, code=130):
            feed = f"http://127.0.0.1:{port}/feeds/source/world.rss"
            wait_for_titles(feed, tmp_path, other_than=set(), seconds=60)
    finally:
        publisher.stop()
    log = tmp_path.joinpath("log").read_text()
    assert "web.1 stopped (rc=0)" in log
    assert "scheduler.1 stopped (rc=0)" in log


def test_a_newcomer_starts_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    command, env = installed / "aggregator", environ(installed)
    refused = subprocess.run(
        [command, "run"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "Create it with `aggregator init`" in refused.stderr
    assert "aggregator run" in run(command, "init", cwd=tmp_path, **env)
    assert "config/sources.yaml: valid" in run(command, "check", cwd=tmp_path, **env)
    assert "schema" not in (tmp_path / "config" / "sources.yaml").read_text().splitlines()[0]


def test_all_links_of_the_installed_service_work(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    publisher = Publisher("127.0.0.1", 0, clock=lambda: datetime.now(UTC))
    publisher.start()
    tmp_path.joinpath("sources.yaml").write_text(f"""
storage: {{path: here.db}}
network: {{allow: [127.0.0.0/8]}}
sections: [{{id: europe, title: Europe}}]
sources: [{{id: world, url: "{publisher.url}/world.rss", sections: [europe], every: 1h}}]
""")
    command = (installed / "aggregator", "--config", "sources.yaml", "run", "--port", str(port))
    try:
        with running(*command, cwd=tmp_path, env=environ(installed)):
            wait_for_titles(f"{base}/feeds/all.atom", tmp_path, other_than=set(), seconds=60)
            found = crawl(base, opener())
    finally:
        publisher.stop()
    assert found.broken == {}
    assert found.outside == set()
    assert f"{base}/section/europe" in found.statuses
    assert f"{base}/feeds/section/europe.rss" in found.statuses
