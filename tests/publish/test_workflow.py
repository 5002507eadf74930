"""The example of a workflow that publishes a site."""

import shlex
from pathlib import Path
from typing import Any

import click
import yaml

from aggregator.cli.main import main

WORKFLOW = Path(__file__).parents[2] / "docs/examples/publish.yml"


def steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return list(workflow["jobs"]["publish"]["steps"])


def test_its_commands_are_ours() -> None:
    lines = [step["run"] for step in steps() if step.get("run", "").startswith("aggregator ")]
    names = []
    for line in lines:
        _, name, *arguments = shlex.split(line)
        command = main.get_command(click.Context(main), name)
        assert command is not None
        command.make_context(name, arguments)
        names.append(name)
    assert names == ["check", "poll", "build"]


def test_it_keeps_the_database_and_the_files_that_it_publishes() -> None:
    paths = {}
    for step in steps():
        name = step.get("uses", "").partition("@")[0]
        if name.startswith("actions/cache") or name == "actions/upload-pages-artifact":
            paths[name] = step["with"]["path"].split()
    assert paths == {
        "actions/cache/restore": ["data", "public"],
        "actions/cache/save": ["data", "public"],
        "actions/upload-pages-artifact": ["public"],
    }
