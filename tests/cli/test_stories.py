"""`stories apart`, `stories together` and `recluster`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.ingest import stories as storylines
from aggregator.store.entries import stories
from tests.cli.commands import run
from tests.web.sample_store import CONFIG, START, SampleStore, make_entry, open_sample

TITLE = "Ferry with 212 on board runs aground off Skerrow"


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path, CONFIG) as sample:
        for number, source in enumerate(("herald", "post", "herald"), 1):
            title = TITLE if number < 3 else "Council opens a swimming hall"
            sample.put(source, replace(make_entry(number), title=title))
        with sample.store.transaction() as db:
            storylines.follow(db, [1, 2, 3], START)
        yield sample


def story_of(sample: SampleStore) -> dict[int, int]:
    with sample.store.reading() as db:
        return stories.of_entries(db, [1, 2, 3])


def test_entries_are_taken_apart_for_good(sample: SampleStore, config: Path) -> None:
    assert story_of(sample) == {1: 1, 2: 1}
    assert "same title" in run(config, "explain", "2").output
    result = run(config, "stories", "apart", "1", "2")
    assert result.exit_code == 0, result.output
    assert "in no story" in result.output
    assert story_of(sample) == {}
    assert "apart:" in config.read_text()
    rebuilt = run(config, "recluster")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "stories rebuilt" in rebuilt.output
    assert story_of(sample) == {}
    before = config.read_text()
    again = run(config, "stories", "apart", "2", "1")
    assert "already has this pair" in again.output
    assert "nothing to change" in again.output
    assert config.read_text() == before


def test_entries_are_joined(sample: SampleStore, config: Path) -> None:
    result = run(config, "stories", "together", "2", "3")
    assert result.exit_code == 0, result.output
    assert story_of(sample) == {1: 1, 2: 1, 3: 1}
    assert "together:" in config.read_text()
    assert "joined by the configuration" in run(config, "explain", "3").output


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("apart", "1", "1"), "both are entry 1"),
        (("together", "1", "3"), "both are of herald"),
        (("apart", "1", "99"), "99: no entry has this id"),
    ],
)
def test_mistakes_change_nothing(
    sample: SampleStore, config: Path, command: tuple[str, ...], message: str
) -> None:
    before, text = story_of(sample), config.read_text()
    result = run(config, "stories", *command)
    assert result.exit_code == 2
    assert message in result.output
    assert (story_of(sample), config.read_text()) == (before, text)


def test_rebuild_finds_stories_that_are_missing(sample: SampleStore, config: Path) -> None:
    with sample.store.transaction() as db:
        db.execute("delete from story_members")
    assert "2 entries changed" in run(config, "recluster").output
    assert story_of(sample) == {1: 1, 2: 1}
