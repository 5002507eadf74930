"""The built wheel, installed alone outside the checkout, is the whole program."""

import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
    """The bin folder of an environment with the wheel; what it depends on is lent to it.

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
