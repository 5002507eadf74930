"""A changed file is noticed once; a missing file is no change."""

import os
from pathlib import Path

import pytest

from aggregator.config.watch import FileWatch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text("sources: []")
    os.utime(path, (1, 1))
    return path


def test_an_untouched_file_is_unchanged(file: Path) -> None:
    assert not FileWatch(str(file)).has_changed()


def test_a_change_is_noticed_once(file: Path) -> None:
    watch = FileWatch(str(file))
    os.utime(file, (2, 2))
    assert [watch.has_changed(), watch.has_changed()] == [True, False]


def test_an_older_file_is_a_change(file: Path) -> None:
    watch = FileWatch(str(file))
    os.utime(file, (0.5, 0.5))
    assert watch.has_changed()


def test_a_missing_file_is_unchanged_until_it_is_back(file: Path) -> None:
    watch = FileWatch(str(file))
    file.unlink()
    assert not watch.has_changed()
    file.write_text("sources: []")
    assert watch.has_changed()


def test_a_forgotten_file_has_changed(file: Path) -> None:
    watch = FileWatch(str(file))
    watch.forget()
    assert watch.has_changed()


def test_a_file_replaced_by_one_of_the_same_time_and_size_is_a_change(file: Path) -> None:
    watch = FileWatch(str(file))
    other = file.with_name("other.yaml")
    other.write_text("sources: {}")
    os.utime(other, (1, 1))
    other.replace(file)
    assert watch.has_changed()


def test_content_written_in_place_with_the_same_time_is_a_change(file: Path) -> None:
    watch = FileWatch(str(file))
    file.write_text("sources: {}")
    os.utime(file, (1, 1))
    assert watch.has_changed()
