"""Commands on machines that lack something: a link, a folder, a name."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.errors import AlreadyRunning
from aggregator.store.database.lock import Lock


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
