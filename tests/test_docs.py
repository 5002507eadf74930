"""The documentation is complete, and its examples work."""

import re
from importlib import import_module
from pathlib import Path

import click
import pytest

from aggregator.cli.main import COMMANDS, main
from aggregator.config import file as config_file
from aggregator.formats.table import ENDINGS
from aggregator.models.extensions import ELEMENTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
FEEDS = (ROOT / "docs" / "feeds.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def table_after(heading: str) -> str:
    """The part of the README from a heading to the next."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}\b", table_after("Commands"), re.MULTILINE)


def test_commands_in_the_readme_exist() -> None:
    rows = re.findall(r"^\| (`[^|]+)\|", table_after("Commands"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z]+)", row)}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command
    assert command.name == name
    shown = command.get_help(click.Context(command, info_name=name))
    assert re.search(r"Examples?:\n +aggregator ", shown)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_shows_the_first_sentence_of_their_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command
    assert COMMANDS[name].summary == command.get_short_help_str(limit=1_000)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(document: Path) -> None:
    used = re.findall(
        r"(?:^|[`/])aggregator (?:--config \S+ )?([a-z]+)\b", document.read_text(), re.MULTILINE
    )
    assert set(used) <= set(COMMANDS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_formats_are_documented(ending: str) -> None:
    assert re.search(rf"^\| `/feeds/all[^|]*\.{ending}`", FEEDS, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_in_documents_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make ([a-z]+)\b", document.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_configuration_in_the_readme_is_right(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert found
    path = tmp_path / "sources.yaml"
    path.write_text(found[1])
    assert [source.id for source in config_file.load(str(path), {}).sources] == ["bbc-world"]


RECIPES = (ROOT / "docs" / "recipes.md").read_text()
ENVIRON = {f"{name}_TOKEN": "a-token-of-24-characters" for name in ("WALL", "ALERTS", "HOME")}


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", RECIPES, re.DOTALL))
def test_configurations_of_the_recipes_are_right(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    assert config_file.load(str(path), ENVIRON).sources


def layers_of(name: str) -> str:
    """Return the layers of a contract in pyproject.toml, as the documents write them."""
    project = (ROOT / "pyproject.toml").read_text()
    contract = project.split(f'name = "{name}', 1)[1]
    layers = re.search(r"^layers = \[(.*?)\]$", contract, re.DOTALL | re.MULTILINE)
    assert layers
    return " > ".join(re.findall(r'"([^"]+)"', layers[1]))


@pytest.mark.parametrize("name", ["Layers: each", "Layers of web", "Layers of store"])
def test_contributing_shows_the_layers_that_are_checked(name: str) -> None:
    text = " ".join((ROOT / "docs/contributing.md").read_text().split())
    assert layers_of(name) in text


def drawn_folders(document: str) -> set[str]:
    text = (ROOT / document).read_text()
    return set(re.findall(r"^ *([a-z]+)/  +\S", text, re.MULTILINE))


@pytest.mark.parametrize("document", ["aggregator/__init__.py", "docs/contributing.md"])
def test_the_tree_shows_every_folder(document: str) -> None:
    package = ROOT / "aggregator"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.name for path in package.glob("*.py")}
    assert drawn_folders(document) == folders
    assert modules == {"__init__.py", "__main__.py", "errors.py"}


# --- the recipes ---

CONTRIBUTING = " ".join((ROOT / "docs/contributing.md").read_text().split())
FILE = r"`([\w/]+/[\w.]+\.(?:py|md|html|json))`"
FUNCTION = r"`([a-z_/]+/[a-z_]+)\.(?!py|md|html|json)(\w+)`"
TABLE = r"`([A-Z_]+)` in `([\w/]+)\.py`"


@pytest.mark.parametrize("path", sorted(set(re.findall(FILE, CONTRIBUTING))))
def test_files_in_the_recipes_exist(path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "aggregator" / path).exists()


@pytest.mark.parametrize(
    ("name", "module"),
    [(name, module) for module, name in re.findall(FUNCTION, CONTRIBUTING)]
    + re.findall(TABLE, CONTRIBUTING),
)
def test_names_in_the_recipes_exist(name: str, module: str) -> None:
    package = "" if module.startswith("tests/") else "aggregator."
    assert hasattr(import_module(package + module.replace("/", ".")), name)


@pytest.mark.parametrize("element", ELEMENTS)
def test_passed_on_elements_are_documented(element: str) -> None:
    prefix, _, name = element.partition(":")
    paragraph = FEEDS.split("\nThese elements of other namespaces")[1].split("\n\n")[0]
    listed = re.search(rf"`{prefix}:(.*?)(;|\. )", " ".join(paragraph.split()))
    assert listed
    assert name in re.findall(r"[\w-]+", listed[1])
