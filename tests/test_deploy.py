"""config/deploy names commands, options and paths that exist; a release is what its tag says."""

import os
import re
import shlex
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from aggregator import __version__
from aggregator.cli.main import main

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "config" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def accepts(*words: str) -> None:
    """Fail if the program does not know a command or an option."""
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_commands_that_exist(path: Path) -> None:
    program, *words = shlex.split(unit(path)["Service"]["ExecStart"])
    assert program == "/opt/aggregator/bin/aggregator"
    accepts(*words)


def test_the_timer_has_its_service() -> None:
    [timer] = (DEPLOY / "systemd").glob("*.timer")
    assert timer.with_suffix(".service") in UNITS


def test_scheduler_and_web_server_are_confined_alike() -> None:
    scheduler, web = (
        dict(unit(DEPLOY / "systemd" / f"aggregator-{name}.service")["Service"])
        for name in ("scheduler", "web")
    )
    differ = {key for key in scheduler.keys() | web if scheduler.get(key) != web.get(key)}
    assert differ == {"ExecStart", "MemoryMax"}


@pytest.mark.parametrize("name", ["scheduler", "web"])
def test_containers_start_commands_that_exist(name: str) -> None:
    service = compose()["services"][name]
    accepts(*service["command"])
    kind, program, *words = service["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "aggregator")
    accepts(*words)
    assert service["read_only"] is True


def test_files_that_the_compose_file_mounts_exist() -> None:
    volumes = [
        volume.partition(":")[0]
        for service in compose()["services"].values()
        for volume in service.get("volumes", ())
    ]
    for volume in volumes:
        is_named = volume in compose()["volumes"]
        assert is_named or (DEPLOY / volume).exists(), volume


def test_the_image_copies_files_that_exist() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    names = [name for copy in copies for name in copy if "--from" not in " ".join(copy)]
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_release_tests_each_python_that_the_package_names() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    pythons = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={pythons[0]}"
    prefix = "Programming Language :: Python :: 3."
    named = [row.removeprefix(prefix) for row in project["classifiers"] if row.startswith(prefix)]
    assert [f"3.{minor}" for minor in named] == pythons


def test_the_release_compares_its_tag_with_the_version_of_the_package() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    [command] = [
        step["run"]
        for step in workflow["jobs"]["build"]["steps"]
        if step.get("if") == "github.ref_type == 'tag'"
    ]
    for tag, code in ((f"v{__version__}", 0), (f"v{__version__}.1", 1), ("v0", 1)):
        environ = os.environ | {"GITHUB_REF_NAME": tag}
        assert subprocess.run(["sh", "-c", command], cwd=ROOT, env=environ).returncode == code


def test_each_version_has_its_part_of_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)
