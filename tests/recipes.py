"""Follows a recipe of docs/contributing.md: edits a copy of the package and runs code with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copy_package(folder: Path) -> Path:
    """Copy `aggregator` into a folder, and return the copy."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(ROOT / "aggregator", folder / "aggregator", ignore=ignored)


def insert(file: Path, text: str, *, after: str) -> None:
    """Insert a text after another one, which the file must hold exactly once."""
    before = file.read_text()
    assert before.count(after) == 1, f"{file.name} holds {after!r} {before.count(after)} times"
    file.write_text(before.replace(after, after + text))


def run(folder: Path, code: str) -> str:
    """Run code with the package in a folder, and return its output."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
