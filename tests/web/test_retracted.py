"""A retracted entry: marked on pages and in the API, or taken down everywhere."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import retractions
from aggregator.models.config import Defaults
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import change_log
from aggregator.store.entries import entries
from aggregator.store.queries import archives
from tests.cli.test_takedown import ARCHIVES, LISTS
from tests.web.pages.test_pages import PageSite
from tests.web.sample_store import CONFIG, START, SampleStore, make_entry, open_sample

MARK = "Removed by its publisher"
PAGES = ("/", "/section/world", "/source/herald", "/search?q=unique", "/entry/1")
THEN = START + timedelta(hours=1)


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path, CONFIG) as sample:
        unique = replace(make_entry(1000), title="The unique headline", text="unique words")
        sample.put("herald", unique)
        yield sample


def site(sample: SampleStore) -> PageSite:
    """Return the site as a process shows it that has nothing in memory."""
    site = PageSite(sample)
    site.now = START.replace(hour=23)
    return site


def retract(sample: SampleStore, setting: str) -> None:
    config = replace(sample.config, defaults=Defaults(retracted=setting))
    with sample.store.transaction() as db:
        [stored] = entries.get_for_ruling(db, [1])
        retractions.apply_rules(
            db, replace(stored, retracted=THEN), Rulebook.of(config), ("world",), THEN
        )
        change_log.bump_all(db)


def test_pages_and_lists_mark_it_with_the_date(sample: SampleStore) -> None:
    for path in PAGES:
        assert MARK not in site(sample).text(path), path
    retract(sample, "show")
    for path in PAGES:
        text = site(sample).text(path)
        assert "unique headline" in text
        assert MARK in text, path
        date = r'<time[^>]* datetime="2009-06-27T22:26:00Z"'
        assert re.search(date, text.partition(MARK)[2]), path


def test_a_version_of_the_time_before_has_no_mark(sample: SampleStore) -> None:
    retract(sample, "show")
    assert MARK not in site(sample).text("/at/2009-06-27T22:00Z/")
    assert MARK in site(sample).text("/at/2009-06-27T22:30Z/")


def test_the_api_has_the_time(sample: SampleStore) -> None:
    def of_api() -> object:
        return site(sample).get("/api/v1/entries/1").get_json()["retracted"]

    assert of_api() is None
    retract(sample, "show")
    assert of_api() == "2009-06-27T22:26:00Z"


def test_a_hidden_one_is_gone_as_one_that_the_operator_hid(sample: SampleStore) -> None:
    sample.add("herald", archives.SIZE)
    for path in ARCHIVES:
        assert "unique headline" in site(sample).text(path)
    retract(sample, "hide")
    for path in (*LISTS, *ARCHIVES):
        assert "unique headline" not in site(sample).text(path), path
    for path in ("/entry/1", "/api/v1/entries/1"):
        answer = site(sample).get(path)
        assert answer.status_code == 410
        assert "unique" not in answer.text
    for path in ("/feeds/all.atom", "/feeds/section/world.atom", "/feeds/source/herald.atom"):
        assert '<at:deleted-entry ref="https://news.example/1000"' in site(sample).text(path)
