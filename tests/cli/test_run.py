"""The configuration with which `run` and `scheduler` begin."""

from pathlib import Path

import pytest

from aggregator.cli import run
from aggregator.cli.shared import load
from aggregator.models.config import Config
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store


def written(config: Path, title: str) -> None:
    config.write_text(
        f"{{site: {{title: {title}}}, storage: {{path: {config.with_suffix('.db')}}},"
        " sources: [{id: news, url: 'https://news.example/'}]}"
    )


def ended(scheduler: Scheduler) -> Scheduler:
    scheduler.stop()
    scheduler.run()
    scheduler._store.close()
    return scheduler


def test_the_file_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "news.yaml", "News")
    loads = []

    def counted(path: str) -> Config:
        loads.append(path)
        return load(path)

    monkeypatch.setattr(run, "load", counted)
    scheduler = ended(run._scheduler(str(tmp_path / "news.yaml")))
    assert scheduler.config.site.title == "News"
    assert len(loads) == 1


def test_a_file_that_changes_while_the_database_opens_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "news.yaml"
    written(config, "News")

    def opened(path: str) -> Store:
        written(config, "Later")
        return Store(path)

    monkeypatch.setattr(run, "Store", opened)
    assert ended(run._scheduler(str(config))).config.site.title == "Later"
