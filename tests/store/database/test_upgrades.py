"""Databases of earlier versions: opened, complete, and in use; see tests/store/fixtures/make.py."""

import gzip
import json
import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import DiskFull, SchemaTooNew
from aggregator.ingest import maintenance
from aggregator.models.config import Config, Section, Site, Source
from aggregator.models.query import Query
from aggregator.store.database import upgrade
from aggregator.store.database.connection import Store
from aggregator.store.database.migrations import MIGRATIONS
from aggregator.store.queries import select
from aggregator.store.sources import sources
from aggregator.web.app import create_app
from tests.builders import START
from tests.store.fixtures import make
from tests.store.fixtures.make import QUERIES, contents

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.db.gz"))
RELEASES = ("0.2.0", "0.3.0")


def unpack(fixture: Path, folder: Path) -> Path:
    path = folder / "news.db"
    path.write_bytes(gzip.decompress(fixture.read_bytes()))
    return path


def expected_of(fixture: Path) -> dict[str, Any]:
    text = fixture.with_name(fixture.name.replace(".db.gz", ".json")).read_text(encoding="utf-8")
    return dict(json.loads(text))


OLDER = [path for path in FIXTURES if expected_of(path)["schema"] < len(MIGRATIONS)]
"""Those that are upgraded: a version just released has the schema of today."""


def _name_of(path: Path) -> str:
    return path.name.removesuffix(".db.gz")


@pytest.fixture(params=FIXTURES, ids=_name_of)
def fixture(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(params=OLDER, ids=_name_of)
def older(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_is_a_database_of_each_release() -> None:
    names = set(map(_name_of, FIXTURES))
    assert set(RELEASES) <= names
    assert len(names) >= len(RELEASES) + 3
    changelog = (Path(__file__).parents[3] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = {line[4:].split("]")[0] for line in changelog.splitlines() if line[:4] == "## ["}
    assert released - {"Unreleased"} <= names, "run tests/store/fixtures/make.py for the release"


def test_everything_is_still_there(fixture: Path, tmp_path: Path) -> None:
    path, expected = unpack(fixture, tmp_path), expected_of(fixture)
    Store(str(path)).close()
    with closing(sqlite3.connect(path)) as db:
        found = contents(db)
        (version,) = db.execute("pragma user_version").fetchone()
    assert version == len(MIGRATIONS) >= expected["schema"]
    assert len(found["entries"]) == 18
    for name in QUERIES.keys() & expected.keys():
        assert found[name] == expected[name], name


def test_the_second_start_changes_nothing(fixture: Path, tmp_path: Path) -> None:
    path = unpack(fixture, tmp_path)
    Store(str(path)).close()
    files = {file: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(files) == 1 + (fixture in OLDER)  # with the copy from before the upgrade
    Store(str(path)).close()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_the_copy_is_the_database_before_the_upgrade(older: Path, tmp_path: Path) -> None:
    path, expected = unpack(older, tmp_path), expected_of(older)
    Store(str(path)).close()
    name = f"news.db.before-schema-{len(MIGRATIONS)}-from-{expected['schema']}"
    with closing(sqlite3.connect(tmp_path / name)) as db:
        (version,) = db.execute("pragma user_version").fetchone()
        assert version == expected["schema"]
        assert contents(db) == {key: expected[key] for key in QUERIES.keys() & expected.keys()}


def test_pages_feeds_and_search_show_it(fixture: Path, tmp_path: Path) -> None:
    path, expected = unpack(fixture, tmp_path), expected_of(fixture)
    store = Store(str(path))
    config = Config(
        path="sources.yaml",
        site=Site(base_url="https://site.example"),
        storage=str(path),
        sections=(Section(id="world", title="World"),),
        sources=tuple(
            Source(id=row[0], url=row[1], sections=("world",)) for row in expected["sources"]
        ),
    )
    maintenance.synchronise(store, config, START)
    while maintenance.index_older(store):
        pass
    client = create_app(lambda: config, store, clock=lambda: START).test_client()
    for row in expected["entries"]:
        page = client.get(f"/entry/{row[0]}", base_url="https://site.example")
        assert page.status_code == 200
        assert row[5] in page.text
    feed = client.get("/feeds/all.atom?stories=expand", base_url="https://site.example").text
    assert all(f"<id>{row[3]}</id>" in feed for row in expected["entries"])
    with store.reading() as db:
        found = select.select_ids(db, Query(q="Marigold lifeboats"), limit=9)
        assert set(sources.get_many(db, ["herald", "post", "notes"])) == {"herald", "post", "notes"}
    assert found
    store.close()


def test_polling_goes_on(fixture: Path, tmp_path: Path) -> None:
    path, feeds = unpack(fixture, tmp_path), tmp_path / "feeds"
    feeds.mkdir()
    make.write_feeds(feeds, again=True)
    with make.served(feeds) as port:  # the sources have moved to another port
        (tmp_path / "sources.yaml").write_text(make.configuration(port))
        make.run(make.ROOT, tmp_path, "poll", "--force")
    with closing(sqlite3.connect(path)) as db:
        found, expected = make.contents(db), expected_of(fixture)
    polls = {row[0]: row[4] for row in found["sources"]}
    assert polls == {row[0]: row[4] + 1 for row in expected["sources"]}
    for entry, before in zip(found["entries"], expected["entries"], strict=True):
        # None is taken for new or changed, even where a later version reads its text otherwise.
        assert [*entry[:6], *entry[7:]] == [*before[:6], *before[7:]]


# --- interrupted, and back ----------------------------------------------------------------------


def test_an_upgrade_logs_its_progress(
    older: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, schema = unpack(older, tmp_path), expected_of(older)["schema"]
    with caplog.at_level(logging.INFO, "aggregator"):
        Store(str(path)).close()
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == (f"event=database_upgrade path={path} from={schema} to={len(MIGRATIONS)}")
    assert messages[1].startswith("event=database_copied path=")
    named = [message for message in messages if message.startswith("event=migration name=")]
    assert len(named) == len(MIGRATIONS) - schema
    assert messages[-1].startswith(f"event=database_upgraded path={path} schema={len(MIGRATIONS)}")


def test_a_new_database_is_no_upgrade(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "aggregator"):
        Store(str(tmp_path / "new.db")).close()
    assert caplog.records == []


def test_half_a_copy_is_made_again(tmp_path: Path) -> None:
    path = unpack(OLDER[0], tmp_path)
    schema = expected_of(OLDER[0])["schema"]
    copy = tmp_path / f"news.db.before-schema-{len(MIGRATIONS)}-from-{schema}"
    half = copy.with_name(f"{copy.name}.partial")
    half.write_bytes(b"half")
    Store(str(path)).close()
    assert not half.exists()
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_an_upgrade_without_room_for_the_copy_changes_nothing(tmp_path: Path) -> None:
    path = unpack(OLDER[0], tmp_path)
    with closing(sqlite3.connect(path)) as db:
        (pages,) = db.execute("pragma page_count").fetchone()
        assert upgrade.needed(db) == path.stat().st_size
        assert pages
    before = path.read_bytes()
    with pytest.raises(DiskFull, match="begins with a copy of the database"):
        upgrade.check_room("copy", wanted=10**9, free=10**9 - 1)
    upgrade.check_room("copy", wanted=10**9, free=10**9)
    assert path.read_bytes() == before


@pytest.mark.parametrize("has_copy", [True, False])
def test_a_downgrade_is_refused_with_the_way_back(tmp_path: Path, has_copy: bool) -> None:
    path = unpack(OLDER[0], tmp_path)
    Store(str(path)).close()
    [copy] = tmp_path.glob("*.before-schema-*")
    if not has_copy:
        copy.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version = 9999")
    with pytest.raises(SchemaTooNew) as raised:
        Store(str(path))
    assert f"schema 9999, this one knows {len(MIGRATIONS)}" in str(raised.value)
    assert "Install that version again, or " in str(raised.value)
    way = f"`aggregator restore {copy}`" if has_copy else "`aggregator restore FILE`"
    assert way in str(raised.value)


def test_the_copy_of_an_upgrade_can_be_restored(tmp_path: Path) -> None:
    path = unpack(OLDER[0], tmp_path)
    Store(str(path)).close()
    [copy] = tmp_path.glob("*.before-schema-*")
    config = tmp_path / "sources.yaml"
    config.write_text(f"storage: {{path: {path}}}\nsources: []\n")
    command = [sys.executable, "-m", "aggregator", "--config", str(config), "restore", "--yes"]
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    with closing(sqlite3.connect(path)) as db:
        assert len(contents(db)["entries"]) == 18
