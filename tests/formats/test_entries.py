"""Each entry of a feed has a title, a link, an author and its source's name, in every format."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from aggregator.formats import entries
from aggregator.formats.merged import Item, MergedFeed
from aggregator.models.config import Attribution
from aggregator.models.entry import Author, Enclosure, Image, SafeHtml
from tests.formats import strategies
from tests.formats.strategies import ENTRY, make_feed, make_item

BARE = replace(ENTRY, title="", link="", summary="", content=SafeHtml(""))


def present(item: Item, attribution: Attribution | None = None) -> entries.FeedEntry:
    [presented] = entries.present(replace(make_feed(item), attribution=attribution))
    return presented


@given(feed=strategies.feeds(strategies.nasty, min_size=1))
@settings(max_examples=60)
def test_every_entry_has_a_title_and_an_author(feed: MergedFeed) -> None:
    for presented in entries.present(feed):
        assert presented.title
        assert presented.authors
        assert all(author.name for author in presented.authors)


@pytest.mark.parametrize("attribution", Attribution)
@given(feed=strategies.feeds(strategies.plain, min_size=1))
@settings(max_examples=30)
def test_every_attribution_names_the_source(attribution: Attribution, feed: MergedFeed) -> None:
    for presented in entries.present(replace(feed, attribution=attribution)):
        name = presented.item.origin.title
        match attribution:
            case Attribution.TITLE:
                assert presented.title.startswith(f"{name}: ")
            case Attribution.AUTHOR:
                assert all(name.casefold() in a.name.casefold() for a in presented.authors)
            case Attribution.CONTENT:
                assert presented.content.startswith("<p>From ")
                assert name in presented.content


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        (replace(BARE, summary="One two"), "One two"),
        (replace(BARE, summary=" ".join("abcdefghijklmn")), "a b c d e f g h i j k l…"),
        (replace(BARE, image=Image(url="https://a.example/1", caption="A cat")), "A cat"),
        (replace(BARE, enclosures=(Enclosure(url="https://a.example/1", title="Talk"),)), "Talk"),
        (BARE, "The Herald, 2009-06-27 20:00"),
    ],
)
def test_an_entry_without_a_title_gets_one(entry: object, title: str) -> None:
    assert present(make_item(entry)).title == title  # type: ignore[arg-type]


def test_an_entry_without_a_link_links_to_its_page_here() -> None:
    here = "https://site.example/entry/1"
    assert present(replace(make_item(BARE), page_url=here)).link == here
    assert present(replace(make_item(), page_url=here)).link == ENTRY.link


def test_an_author_is_named_with_the_source_once() -> None:
    named = replace(ENTRY, authors=(Author(name="Ann"), Author(name="THE HERALD")))
    authors = present(make_item(named), Attribution.AUTHOR).authors
    assert [author.name for author in authors] == ["Ann (The Herald)", "THE HERALD"]


PICTURE = "https://a.example/2009/flood-in-town.jpg"


@pytest.mark.parametrize(
    ("shown", "is_shown"),
    [
        (PICTURE, True),
        (f"{PICTURE}?w=300&amp;h=200", True),
        ("https://a.example/2009/flood-in-town-300x200.jpg", True),
        ("https://cdn.example/x/flood-in-town.jpg", True),
        ("https://a.example/2009/other.jpg", False),
    ],
)
def test_a_picture_is_added_where_the_content_does_not_show_it(shown: str, is_shown: bool) -> None:
    content = SafeHtml(f'<p><img alt="" src="{shown}"></p>')
    entry = replace(ENTRY, content=content, image=Image(url=PICTURE, caption="A <flood>"))
    added = f'<p><img src="{PICTURE}" alt="A &lt;flood&gt;"></p>'
    assert present(make_item(entry)).content == (content if is_shown else f"{added}{content}")


def test_file_names_that_are_in_every_folder_are_not_compared() -> None:
    assert not entries.shows_picture(
        '<img src="https://a.example/1/a.jpg">', "https://a.example/2/a.jpg"
    )


def test_the_artwork_of_a_podcast_is_not_put_into_its_episodes() -> None:
    entry = replace(ENTRY, image=Image(url=PICTURE, is_artwork=True))
    assert present(make_item(entry)).content == entry.content


def test_a_summary_stands_in_for_content_below_the_source() -> None:
    entry = replace(ENTRY, content=SafeHtml(""), summary="a < b")
    assert present(make_item(entry), Attribution.CONTENT).content == (
        '<p>From <a href="https://herald.example/">The Herald</a></p><p>a &lt; b</p>'
    )
