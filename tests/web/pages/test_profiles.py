"""Profiles of saved views and topics, and features at the foot of pages."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.models.config import View
from aggregator.models.entry import Image
from aggregator.models.query import parse
from aggregator.store.queries import select
from aggregator.web.pages import profiles
from aggregator.web.pages.timed_cache import KEPT
from tests.web.pages.test_pages import PageSite, headlines, pages
from tests.web.pages.test_related import make_summary
from tests.web.sample_store import make_entry

__all__ = ["pages"]

NATO = View(id="nato", title="Nato", query=parse("q=nato"), description="News of the alliance")


def add_views(pages: PageSite, *views: View) -> None:
    config = pages.sample.config
    pages.sample.config = replace(config, views=(*config.views, *views))


def named(*texts: str, known: str = "", language: str = "") -> list[tuple[str, int]]:
    entries = [
        make_summary(number, summary=text, language=language) for number, text in enumerate(texts)
    ]
    return profiles.names(entries, known)


@pytest.mark.parametrize(("entries", "is_named"), [(profiles.MIN_NAMED, True), (2, False)])
def test_a_name_is_in_several_entries(entries: int, *, is_named: bool) -> None:
    texts = ["In Tolvik the ferry sails; Tolvik waits."] * entries
    assert named(*texts) == ([("Tolvik", entries)] if is_named else [])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Today Mark Rutte met ministers.", ["Mark Rutte"]),
        ("It met Rutte’s friends on Monday in May.", ["Rutte"]),
        ("Ministers of the U.S. Congress met.", ["US Congress"]),
        ("Tomorrow never comes. Ferries sail.", []),
        ("昨日コンサートが開かれた。", ["コンサート"]),
        ("The big Ferry and the small ferry.", []),  # no name elsewhere
    ],
)
def test_names_are_words_with_a_capital_within_a_sentence(text: str, names: list[str]) -> None:
    assert [name for name, _ in named(*[text] * 3)] == names


def test_german_nouns_are_no_names() -> None:
    texts = ["Gestern kam der Minister Olaf Schmidt mit der NATO ins Haus."] * 3
    assert [name for name, _ in named(*texts, language="de-at")] == [
        "Minister Olaf Schmidt",
        "NATO",
    ]


def test_a_part_of_a_name_counts_with_the_name() -> None:
    texts = ["Then Mark Rutte spoke."] * 3 + ["There Rutte spoke."] * 2
    assert named(*texts) == [("Mark Rutte", 5)]


def test_words_of_the_view_are_not_listed() -> None:
    assert named(*["In Brussels the Nato met."] * 3, known="q=nato") == [("Brussels", 3)]


def put(pages: PageSite, count: int, text: str, source: str = "herald", first: int = 500) -> None:
    for number in range(first, first + count):
        entry = make_entry(number, pages.sample.now - timedelta(days=number - first))
        pages.sample.put(source, replace(entry, summary=text, text=text))


def test_a_profile_tells_what_a_view_is_about(pages: PageSite) -> None:
    add_views(pages, NATO)
    put(pages, 3, "In Brussels the Nato met.")
    put(pages, 1, "Nato again", "post", 600)
    for source in ("herald", "post", "odd"):
        entry = replace(make_entry(700), title="Nato and partners sign treaty on Arctic patrols")
        entry = replace(entry, guid=source, link="", canonical_url="", summary="", text="")
        pages.sample.put(source, entry)
    page = pages.text("/view/nato")
    for part in (
        "<title>Profile: Nato – ",
        '<p class="kicker">Profile</p>',
        "News of the alliance",
        "Last 30 days: 7 entries, at most 5 a day",
        '<a href="/search?q=%22Brussels%22" dir="auto" title="3 entries">Brussels</a>',
    ):
        assert part in page
    sections = re.findall(r'<section class="of-section".*?</section>', page, re.DOTALL)
    assert [re.findall(r">(\d+ \w+)<", each) for each in sections] == [
        ["3 sources"],
        ["4 entries", "2 entries", "1 entry"],
    ]
    assert headlines(sections[0]) == ["Nato and partners sign treaty on Arctic patrols"]


def test_later_pages_and_sections_have_no_profile(pages: PageSite) -> None:
    pages.sample.add("herald", 60)
    first = pages.text("/category/x") + pages.text("/view/rain?limit=2")
    assert "Last 30 days" in first
    [older] = re.findall(r'rel="next" href="([^"]+)"', pages.text("/view/rain?limit=2"))
    for path in (older.replace("&amp;", "&"), "/section/world"):
        assert "Last 30 days" not in pages.text(path)


def test_a_removed_entry_leaves_a_profile_at_once(pages: PageSite) -> None:
    add_views(pages, NATO)
    title = "Nato and partners sign treaty on Arctic patrols"
    ids = []
    for source in ("herald", "post"):
        entry = replace(make_entry(700), title=title, guid=source, link="", canonical_url="")
        ids.append(pages.sample.put(source, entry))
    assert title in pages.text("/view/nato")
    for entry_id in ids:
        pages.sample.withdraw(entry_id)
    assert title not in pages.text("/view/nato")


@pytest.mark.parametrize(
    ("query", "is_in"),
    [
        ("q=nato", True),
        ("q=nato&not=rain", True),
        ("q=nato&not=brussels", False),
        ("not=brussels", False),
        ("not=rain", True),
        ("q=rain", False),
        ("section=world&q=nato", True),
        ("section=local", False),
        ("source=herald,post", True),
        ("q=***", False),
    ],
)
def test_whether_a_view_contains_an_entry(pages: PageSite, query: str, *, is_in: bool) -> None:
    put(pages, 1, "In Brussels the Nato met.")
    with pages.sample.store.reading() as db:
        assert select.contains(db, parse(query), 1) == is_in
        assert (1 in select.select_ids(db, parse(query), limit=9)) == is_in


def test_a_story_links_to_the_profiles_that_it_is_in(pages: PageSite) -> None:
    private = replace(NATO, id="desk", title="Desk", token="secret-enough")
    add_views(pages, NATO, private, replace(NATO, id="eu", title="Union", query=parse("q=union")))
    put(pages, 1, "In Brussels the Nato met.")
    page = pages.text("/entry/1")
    profiles = page[page.index("Profiles:") :].partition("</p>")[0]
    assert re.findall('href="([^"]+)"', profiles) == ["/view/nato"]


def picture(number: int, source: str, pages: PageSite, title: str = "", width: int = 800) -> int:
    image = Image(url=f"https://a.example/{number}.jpg", width=width, height=500)
    entry = replace(make_entry(number), image=image, title=title or f"Pictured {number}")
    return pages.sample.put(source, entry)


def features(page: str) -> list[str]:
    return headlines(page.partition('class="features"')[2])


@pytest.mark.parametrize(("count", "shown"), [(2, 0), (3, 3), (4, 3)])
def test_features_are_three_or_none(pages: PageSite, count: int, shown: int) -> None:
    [entry_id] = pages.sample.add("herald")
    for number, source in enumerate(("post", "odd", "post", "odd")[:count], 800):
        picture(number, source, pages)
    assert len(features(pages.text(f"/entry/{entry_id}"))) == shown


def test_features_are_of_different_sources_if_there_are(pages: PageSite) -> None:
    pages.sample.add("herald", 7)
    for number, source in enumerate(("herald", "odd", "post", "post", "post"), 800):
        picture(number, source, pages)
    pages.sample.add("herald", 7)
    assert features(pages.text("/entry/1")) == ["Pictured 804", "Pictured 800", "Pictured 803"]


def test_the_most_covered_is_the_first_feature(pages: PageSite) -> None:
    pages.sample.add("herald")
    title = "Nato and partners sign treaty on Arctic patrols"
    for number, source in enumerate(("post", "odd"), 800):
        picture(number, source, pages, title)
    for number, source in enumerate(("post", "odd"), 802):
        picture(number, source, pages)
    assert features(pages.text("/entry/1"))[0] == title


def test_features_are_not_on_the_page_and_have_pictures(pages: PageSite) -> None:
    first = picture(800, "herald", pages)
    for number, source in enumerate(("post", "odd", "post"), 801):
        picture(number, source, pages)
    picture(900, "odd", pages, width=100)
    page = pages.text(f"/entry/{first}")
    assert "Pictured 800" not in features(page)
    assert "Pictured 900" not in features(page)
    assert len(set(headlines(page))) == len(headlines(page))


def test_features_are_found_again_after_a_while(pages: PageSite) -> None:
    [entry_id] = pages.sample.add("herald")
    assert features(pages.text(f"/entry/{entry_id}")) == []
    for number, source in enumerate(("post", "post", "odd"), 800):
        picture(number, source, pages)
    assert features(pages.text(f"/entry/{entry_id}")) == []
    pages.now += KEPT
    assert len(features(pages.text(f"/entry/{entry_id}"))) == 3
