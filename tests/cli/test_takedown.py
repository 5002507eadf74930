"""`hide` removes an entry from everything that is served; `show` restores it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.models.query import Query
from aggregator.store.entries import entries
from aggregator.store.queries import archives
from tests.cli.commands import run
from tests.web.pages.test_pages import PageSite
from tests.web.sample_store import CONFIG, START, SampleStore, make_entry, open_sample

LISTS = (
    "/", "/section/world", "/source/herald", "/search?q=unique", "/api/v1/entries",
    "/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/feeds/section/world.atom",
    "/feeds/search.atom?q=unique", "/at/2009-06-27T22:00Z/", "/at/2009-06-27T22:00Z/feeds/all.atom",
)  # fmt: skip
ARCHIVES = ("/feeds/all/archive/1.atom", "/feeds/source/herald/archive/1.json")


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path, CONFIG) as sample:
        secret = replace(make_entry(1000), title="The unique headline", text="unique words")
        sample.put("herald", secret)
        yield sample


def site(sample: SampleStore) -> PageSite:
    """Return the site as a process shows it that has nothing in memory."""
    site = PageSite(sample)
    site.now = START.replace(hour=23)
    return site


def test_a_hidden_entry_is_on_no_list(sample: SampleStore, config: Path) -> None:
    for path in LISTS:
        assert "unique headline" in site(sample).text(path), path
    assert run(config, "hide", "1", "--why", "court  order").exit_code == 0
    for path in LISTS:
        assert "unique headline" not in site(sample).text(path), path


def test_its_page_is_gone_and_keeps_the_reason_for_the_operator(
    sample: SampleStore, config: Path
) -> None:
    run(config, "hide", "https://news.example/1000", "--why", "court order")
    for path in ("/entry/1", "/api/v1/entries/1"):
        answer = site(sample).get(path)
        assert answer.status_code == 410
        assert "was removed from this site" in answer.text
        assert "unique" not in answer.text
        assert "court" not in answer.text
    assert "hidden: removed: court order" in run(config, "explain", "1").output


def test_feeds_tell_readers_to_delete_it(sample: SampleStore, config: Path) -> None:
    run(config, "hide", "1", "--why", "x")
    for path in ("/feeds/all.atom", "/feeds/section/world.atom", "/feeds/source/herald.atom"):
        assert '<at:deleted-entry ref="https://news.example/1000"' in site(sample).text(path)


def test_archives_lose_it(sample: SampleStore, config: Path) -> None:
    sample.add("herald", archives.SIZE)
    for path in ARCHIVES:
        assert "unique headline" in site(sample).text(path)
    run(config, "hide", "1", "--why", "x")
    for path in ARCHIVES:
        text = site(sample).text(path)
        assert "unique headline" not in text
        assert "Report 1" in text
    run(config, "show", "1")
    for path in ARCHIVES:
        assert "unique headline" in site(sample).text(path)


def test_no_edit_of_the_publisher_shows_it_again(sample: SampleStore, config: Path) -> None:
    run(config, "hide", "1", "--why", "x")
    sample.revise(1, "The unique headline, edited")
    assert "unique headline" not in site(sample).text("/feeds/all.atom")
    assert site(sample).get("/entry/1").status_code == 410


def test_a_shown_entry_is_back_everywhere(sample: SampleStore, config: Path) -> None:
    run(config, "hide", "http://127.0.0.1:8000/entry/1", "--why", "x")
    shown = run(config, "show", "http://127.0.0.1:8000/entry/1")
    assert shown.output == "shown: entry 1 of herald: The unique headline\n"
    for path in (*LISTS, "/entry/1"):
        assert "unique headline" in site(sample).text(path), path
    assert "deleted-entry" not in site(sample).text("/feeds/all.atom")


def test_a_shown_entry_is_still_subject_to_the_rules(sample: SampleStore, config: Path) -> None:
    run(config, "hide", "1", "--why", "x")
    rule = "sections: [world], drop: [{title: un}]}"
    config.write_text(config.read_text().replace("sections: [world]}", rule))
    assert "no list has it: dropped" in run(config, "show", "1").output
    assert site(sample).get("/entry/1").status_code == 404


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("hide", "4711", "--why", "x"), "4711: no entry has this id"),
        (("hide", "1"), "Missing option '--why'"),
        (("show", "1"), "was not hidden with `aggregator hide`"),
    ],
)
def test_mistakes_change_nothing(
    sample: SampleStore, config: Path, command: tuple[str, ...], why: str
) -> None:
    refused = run(config, *command)
    assert refused.exit_code == 2
    assert why in refused.output
    assert "unique headline" in site(sample).text("/")


def test_hiding_twice_says_so(sample: SampleStore, config: Path) -> None:
    run(config, "hide", "1", "--why", "court order")
    assert "entry 1 is hidden already: court order" in run(config, "hide", "1", "--why", "y").output


def test_copies_in_other_sources_are_named(sample: SampleStore, config: Path) -> None:
    copy = replace(make_entry(1000), title="The unique headline", text="unique words", guid="other")
    copy_id = sample.put("post", copy, uri="tag:other")
    output = run(config, "hide", "1", "--why", "x").output
    assert f"the same story is in entry {copy_id} of post, which stays" in output
    with sample.store.reading() as db:
        assert not entries.get_many(db, [copy_id])[copy_id].hidden


def test_documents_of_other_ranges_stay(sample: SampleStore) -> None:
    sample.add("herald", 2 * archives.SIZE)
    with sample.store.transaction() as db:
        archives.close(db, "/", Query())
        for number in (1, 2):
            archives.save_document(db, "/", number, "atom", b"x")
        archives.forget_entry(db, archives.SIZE)  # the last of the first
        assert archives.get_document(db, "/", 1, "atom") is None
        assert archives.get_document(db, "/", 2, "atom") == b"x"
