from datetime import UTC, datetime, timedelta

import pytest

from aggregator.clean import feed
from aggregator.models.entry import Author, Feed, ParsedFeed

URL = "https://a.example/dir/feed"


def clean(**fields: object) -> Feed:
    return feed.clean(ParsedFeed(version="rss20", **fields), url=URL)  # type: ignore[arg-type]


def test_title_subtitle_and_rights_are_text() -> None:
    cleaned = clean(
        title="A &amp; <b>B</b>\n",
        subtitle="<p>One</p><p>two</p>",
        rights="&copy; <script>x</script>",
    )
    assert (cleaned.title, cleaned.subtitle, cleaned.rights) == ("A & B", "One two", "©")


def test_text_is_bounded() -> None:
    cleaned = clean(title="t" * 9_999, subtitle="s" * 9_999, rights="r" * 9_999)
    assert (len(cleaned.title), len(cleaned.subtitle), len(cleaned.rights)) == (500, 1_000, 500)


def test_urls_are_absolute() -> None:
    cleaned = clean(
        link="/home/",
        image="logo.png",
        links=(
            ("self", "feed?x"), ("hub", "https://hub.example/"), ("prev-archive", "2009/06"),
            ("self", "other"),
        ),
    )  # fmt: skip
    assert cleaned.link == "https://a.example/home/"
    assert cleaned.image == "https://a.example/home/logo.png"
    assert cleaned.self_url == "https://a.example/dir/feed?x"
    assert cleaned.hubs == ("https://hub.example/",)
    assert cleaned.older == "https://a.example/dir/2009/06"


def test_unsafe_urls_are_dropped() -> None:
    bad = "javascript:alert(1)"
    cleaned = clean(
        link=bad, image=bad, links=(("self", bad), ("hub", bad), ("prev-archive", bad)), id=bad
    )
    assert (cleaned.link, cleaned.image, cleaned.self_url) == ("", "", "")
    assert (cleaned.hubs, cleaned.older, cleaned.id) == ((), "", "")


def test_hubs_are_bounded_and_not_repeated() -> None:
    sent = [("hub", f"https://hub.example/{number}") for number in (1, 1, 2, 3, 4, 5, 6, 7)]
    assert clean(links=tuple(sent)).hubs == tuple(f"https://hub.example/{n}" for n in range(1, 6))


def test_an_id_is_an_iri_as_sent() -> None:
    assert clean(id="tag:a.example,2009:Feed").id == "tag:a.example,2009:Feed"
    assert clean(id="feed 1").id == ""


def test_authors_are_cleaned() -> None:
    cleaned = clean(authors=(Author(name="Ann &amp; Bob", uri="/people"), Author(name=" ")))
    assert cleaned.authors == (Author(name="Ann & Bob", uri="https://a.example/people"),)


def test_problems_are_bounded() -> None:
    cleaned = clean(problems=("line 3: p\n" * 1_000,) * 20)
    assert len(cleaned.problems) == feed.PROBLEMS
    assert all(len(problem) <= feed.PROBLEM_LENGTH for problem in cleaned.problems)


@pytest.mark.parametrize(("tag", "expected"), [("en_GB", "en-gb"), ("<b>", ""), ("", "")])
def test_language(tag: str, expected: str) -> None:
    assert clean(language=tag).language == expected


def test_dates_and_periods_are_kept() -> None:
    time = datetime(2009, 6, 27, tzinfo=UTC)
    cleaned = clean(
        updated=time,
        ttl=timedelta(hours=1),
        update_period=timedelta(days=1),
        update_base=time,
        skip_hours=frozenset({1}),
        skip_days=frozenset({6}),
    )
    assert cleaned.version == "rss20"
    assert (cleaned.updated, cleaned.ttl, cleaned.update_period) == (
        time, timedelta(hours=1), timedelta(days=1),
    )  # fmt: skip
    assert (cleaned.update_base, cleaned.skip_hours, cleaned.skip_days) == (
        time, frozenset({1}), frozenset({6}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "hub", "self_url"),
    [
        ((), "https://in.example/", "https://a.example/in"),
        ((("hub", "https://head.example/"),), "https://head.example/", "https://a.example/in"),
        ((("self", "https://a.example/head"),), "https://in.example/", "https://a.example/head"),
        ((("hub", "javascript:x"),), "https://in.example/", "https://a.example/in"),
    ],
)
def test_links_of_the_header_come_before_those_of_the_document(
    header: tuple[tuple[str, str], ...], hub: str, self_url: str
) -> None:
    links = (("hub", "https://in.example/"), ("self", "https://a.example/in"))
    cleaned = feed.clean(
        ParsedFeed(version="atom10", links=links), url="https://a.example/", header_links=header
    )
    assert (cleaned.hubs, cleaned.self_url) == ((hub,), self_url)
