"""Paths that begin with `~`, where no shell has expanded it."""

import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.config import file
from aggregator.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_configuration_and_database_are_found_in_the_home_folder(home: Path) -> None:
    (home / "my.yaml").write_text(
        "storage: {path: ~/news/feeds.db}\nsources: [{id: a, url: https://a.example/feed}]\n"
    )
    for arguments in (["--config=~/my.yaml", "status"], ["status"]):
        result = CliRunner().invoke(main, arguments, env={"AGGREGATOR_CONFIG": "~/my.yaml"})
        assert result.exit_code == 0, result.output
    assert (home / "news" / "feeds.db").exists()


def test_home_folder_of_a_user_by_name() -> None:
    path = file.parse("storage: {path: ~root/news.db}", "x.yaml", {}).storage
    assert path == f"{pwd.getpwnam('root').pw_dir}/news.db"


@pytest.mark.parametrize("path", ["./~/news.db", "a~b.db", "folder/~root/news.db"])
def test_a_tilde_elsewhere_is_a_character(path: str) -> None:
    assert file.parse(f"storage: {{path: {path}}}", "x.yaml", {}).storage == path


@pytest.mark.parametrize(
    "block", ["storage: {path: ~nobody-here/n.db}", "site: {logo: ~nobody-here/a}"]
)
def test_home_folder_of_an_unknown_user_is_a_mistake(block: str) -> None:
    with pytest.raises(ConfigError, match="the home folder of nobody-here, which has none"):
        file.parse(block, "x.yaml", {})
