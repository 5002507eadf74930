"""`aggregator backup`: one file, or the newest copies in a folder; each is checked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.main import main
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(f"storage: {{path: {tmp_path}/news.db}}\nsources: []\n")
    store = Store(str(tmp_path / "news.db"))
    with store.transaction() as db:
        metadata.put(db, "sign", "ours")
    store.close()
    return path


def backup(config: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), "backup", *args])


def sign(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        return str(db.execute("select value from facts where name = 'sign'").fetchone()[0])


def damage(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        [size] = db.execute("pragma page_size").fetchone()
        query = "select rootpage from sqlite_master where name = ?"
        [page] = db.execute(query, (table,)).fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(bytes(size))


def test_a_copy_is_complete_and_alone(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    result = backup(config, str(folder / "one.db"))
    assert result.exit_code == 0, result.output
    assert "bytes, checked" in result.output
    assert [file.name for file in folder.iterdir()] == ["one.db"]
    assert sign(folder / "one.db") == "ours"


@pytest.mark.parametrize("existing", ["file", "folder"])
def test_nothing_is_overwritten(config: Path, tmp_path: Path, existing: str) -> None:
    target = tmp_path / "taken"
    target.mkdir() if existing == "folder" else target.write_text("mine")
    result = backup(config, str(target))
    assert result.exit_code == 2
    assert str(target) in result.output
    assert target.is_dir() or target.read_text() == "mine"


def test_the_newest_copies_are_kept_and_other_files_left_alone(
    config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "copies"
    assert backup(config, "--keep", "2", str(folder)).exit_code == 0
    [first] = folder.iterdir()
    (folder / "aggregator-of-ann.db").write_text("mine")
    for _ in range(2):
        result = backup(config, "--keep", "2", str(folder))
        assert result.exit_code == 0, result.output
    copies = sorted(folder.glob("aggregator-2*.db"))
    assert len(copies) == 2
    assert first not in copies
    assert sign(copies[-1]) == "ours"
    assert {file.name for file in folder.iterdir()} - {c.name for c in copies} == {
        "aggregator-of-ann.db"
    }


@pytest.mark.parametrize("keep", ["0", "-1"])
def test_at_least_one_copy_is_kept(config: Path, tmp_path: Path, keep: str) -> None:
    assert backup(config, "--keep", keep, str(tmp_path / "copies")).exit_code == 2


def test_a_damaged_copy_is_no_backup_and_older_ones_stay(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    assert backup(config, "--keep", "1", str(folder)).exit_code == 0
    before = list(folder.iterdir())
    damage(config.with_name("news.db"), "incidents")
    result = backup(config, "--keep", "1", str(folder))
    assert result.exit_code == 2
    assert "damaged" in result.output
    assert list(folder.iterdir()) == before
