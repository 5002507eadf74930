from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean import entry
from aggregator.clean.text import TEXT_LENGTH
from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Image,
    Origin,
    ParsedEntry,
    Text,
)
from tests.clean.checks import assert_inert
from tests.clean.payloads import PAYLOADS

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
BASE = "https://a.example/"
BAD = "javascript:alert(1)"


def clean(**fields: Any) -> Entry:
    return entry.clean(ParsedEntry(**fields), base=BASE, now=NOW)


# --- text ------------------------------------------------------------------------------------


def test_a_title_is_text() -> None:
    assert clean(title=Text(value="A <b>bold</b> one &amp;amp; more")).title == "A bold one & more"


def test_the_longer_text_is_the_content_and_the_summary_is_kept() -> None:
    short, full = Text(value="<p>Short</p>"), Text(value="<p>Much longer text</p>")
    cleaned = clean(summary=short, content=full)
    assert cleaned.content == "<p>Much longer text</p>"
    assert cleaned.summary == "Short"
    assert cleaned.text == "Much longer text"


def test_a_summary_longer_than_the_content_is_the_content() -> None:
    cleaned = clean(summary=Text(value="<p>Much longer</p>"), content=Text(value="<p>Short</p>"))
    assert (cleaned.content, cleaned.summary, cleaned.text) == (
        "<p>Much longer</p>", "Much longer", "Much longer",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "content", "shown"),
    [
        pytest.param(
            "<p>" + "<b>" * 9 + "A long teaser" + "</b>" * 9,
            "<p>The text is longer</p>",
            "The text is longer",
            id="longer to a reader, not by its markup",
        ),
        pytest.param("A caption, long", '<img src="http://e.org/p.jpg">', "", id="a picture stays"),
        pytest.param("The first words of it […]", "Brief.", "Brief.", id="an excerpt"),
        pytest.param(
            "Some words [...] The post <a href='/'>A</a> appeared first on <a href='/'>B</a>.",
            "Brief.",
            "Brief.",
            id="an excerpt with a last line of the blog",
        ),
        pytest.param("Words of all sorts", "Brief.", "Words of all sorts", id="the fuller summary"),
        pytest.param("An excerpt …", "<p></p>", "An excerpt …", id="an excerpt of nothing"),
    ],
)
def test_the_content_is_the_text_that_shows_more(summary: str, content: str, shown: str) -> None:
    cleaned = clean(summary=Text(value=summary), content=Text(value=content))
    assert cleaned.text == shown


def test_a_content_of_scripts_is_replaced_by_the_summary() -> None:
    cleaned = clean(summary=Text(value="x"), content=Text(value="<script>a long one</script>"))
    assert cleaned.content == "x"


def test_a_missing_summary_is_cut_from_the_content() -> None:
    cleaned = clean(content=Text(value="<p>word</p>" * 500))
    assert cleaned.summary.startswith("word word")
    assert cleaned.summary.endswith("word…")
    assert len(cleaned.summary) <= entry.SUMMARY_LENGTH


def test_text_for_the_search_is_bounded() -> None:
    cleaned = clean(content=Text(value="word " * 50_000))
    assert len(cleaned.text) <= TEXT_LENGTH
    assert len(cleaned.content) > TEXT_LENGTH


# --- ids and links ---------------------------------------------------------------------------


def test_a_guid_is_kept_as_sent() -> None:
    assert clean(guid=" tag:a,2009:1 A\u202e").guid == "tag:a,2009:1 A\u202e"


def test_a_huge_guid_is_replaced_by_its_hash() -> None:
    cleaned = clean(guid="x" * 1_000_000).guid
    assert cleaned.startswith("xxh3:")
    assert len(cleaned) == 37
    assert cleaned != clean(guid="x" * 999_999).guid


def test_links_are_absolute() -> None:
    cleaned = clean(link="b?utm_source=rss", links=(("via", "/via"),), comments="#comments")
    assert cleaned.link == "https://a.example/b?utm_source=rss"
    assert cleaned.canonical_url == "https://a.example/b"
    assert cleaned.via == "https://a.example/via"
    assert cleaned.comments == "https://a.example/#comments"


def test_the_first_link_of_a_kind_counts() -> None:
    cleaned = clean(links=(("replies", "/1"), ("replies", "/2")))
    assert cleaned.comments == "https://a.example/1"


def test_the_base_of_the_entry_counts_first() -> None:
    cleaned = clean(base="/deep/", link="b", content=Text(value='<img src="c.png">'))
    assert cleaned.link == "https://a.example/deep/b"
    assert cleaned.content == '<img src="https://a.example/deep/c.png">'


def test_unsafe_urls_are_dropped() -> None:
    cleaned = clean(link=BAD, comments=BAD, links=(("via", BAD), ("origLink", BAD)), base=BAD)
    assert (cleaned.link, cleaned.canonical_url, cleaned.comments, cleaned.via) == ("", "", "", "")


def test_the_original_link_is_the_canonical_one() -> None:
    cleaned = clean(link="https://proxy.example/1", links=(("origLink", "https://a.example/s"),))
    assert cleaned.link == "https://proxy.example/1"
    assert cleaned.canonical_url == "https://a.example/s"


def test_an_origin_is_text_with_urls() -> None:
    cleaned = clean(origin=Origin(id="tag:b,2009:f", title="B &amp; <i>C</i>", url="//b.example/f"))
    assert cleaned.origin == Origin(id="tag:b,2009:f", title="B & C", url="https://b.example/f")


def test_an_empty_origin_is_dropped() -> None:
    assert clean(origin=Origin(id=BAD, title=" ", url=BAD)).origin is None
    assert clean().origin is None


# --- dates -----------------------------------------------------------------------------------


def test_dates_are_clamped() -> None:
    cleaned = clean(published=NOW + timedelta(days=9), updated=NOW + timedelta(days=99))
    assert (cleaned.published, cleaned.updated) == (NOW, NOW)


def test_an_entry_without_published_uses_updated() -> None:
    assert clean(updated=NOW).published == NOW
    assert clean(published=datetime.min.replace(tzinfo=UTC)).published is None


# --- people and categories -------------------------------------------------------------------


def test_authors_and_categories_are_text_without_repetitions() -> None:
    cleaned = clean(
        authors=(
            Author(name="<b>Ann</b>", uri="/ann", email="ann@a.example"), Author(name="ANN"),
            Author(email="bob@b.example"), Author(name="Cy", uri=BAD, email="cy <x@y>"), Author(),
        ),
        categories=("News", "news", " <i>Sport</i> ", "", "C&amp;A", "x" * 500),
    )  # fmt: skip
    assert cleaned.authors == (
        Author(name="Ann", uri="https://a.example/ann", email="ann@a.example"),
        Author(name="bob", email="bob@b.example"),
        Author(name="Cy"),
    )
    assert cleaned.categories[:3] == ("News", "Sport", "C&A")
    assert len(cleaned.categories[3]) == entry.CATEGORY_LENGTH


def test_lists_are_bounded() -> None:
    names = [f"n{number}" for number in range(1_000)]
    cleaned = clean(
        authors=tuple(Author(name=name) for name in names),
        categories=tuple(names),
        enclosures=tuple(Enclosure(url=f"/{name}.mp3") for name in names),
        extensions=tuple(Extension(name="media:credit", text=name) for name in names),
    )
    found = [cleaned.authors, cleaned.categories, cleaned.enclosures, cleaned.extensions]
    assert [len(each) for each in found] == [
        entry.MOST_AUTHORS, entry.MOST_CATEGORIES, entry.MOST_ENCLOSURES, entry.MOST_EXTENSIONS,
    ]  # fmt: skip


LANGUAGES = {"en_GB": "en-gb", "DE": "de", "zh-Hant-TW": "zh-hant-tw", "nonsense!": "", "": ""}


@pytest.mark.parametrize(("tag", "expected"), LANGUAGES.items())
def test_a_language_is_a_tag_in_lower_case(tag: str, expected: str) -> None:
    assert clean(language=tag).language == expected


@pytest.mark.parametrize(("own", "expected"), [("pt-BR", "pt-br"), ("", "fr"), ("no tag!", "fr")])
def test_an_entry_without_a_language_has_its_feeds(own: str, expected: str) -> None:
    parsed = ParsedEntry(language=own)
    assert entry.clean(parsed, base=BASE, now=NOW, language="fr").language == expected


# --- media -----------------------------------------------------------------------------------


def test_enclosures_are_checked_typed_and_not_repeated() -> None:
    cleaned = clean(
        enclosures=(
            Enclosure(url="a.mp3", length=5, duration=60, title="A &amp; <b>B</b>"),
            Enclosure(url="/a.mp3", type="audio/mpeg"),
            Enclosure(url=BAD, type="audio/mpeg"),
            Enclosure(url="b", type="Audio/MPEG; x=1", length=-1, duration=-1),
            Enclosure(url="c.jpg?x=1", type="<b>"),
            Enclosure(url="d"),
        )
    )
    assert cleaned.enclosures == (
        Enclosure(url=f"{BASE}a.mp3", type="audio/mpeg", length=5, duration=60, title="A & B"),
        Enclosure(url=f"{BASE}b", type="audio/mpeg"),
        Enclosure(url=f"{BASE}c.jpg?x=1", type="image/jpeg"),
        Enclosure(url=f"{BASE}d"),
    )


FIGURE = (
    '<p>x</p><img src="//secure.gravatar.com/avatar/1" alt="me"><figure><a href="/l">'
    '<img src="c.jpg" alt="C" width="640" height="480"></a>'
    "<figcaption>The <b>caption</b></figcaption></figure>"
)
IMAGES: dict[str, tuple[dict[str, Any], Image | None]] = {
    "the smallest that is wide enough": (
        {"images": (
            Image(url="xl", width=4_000), Image(url="l", width=640), Image(url="s", width=80),
        )},
        Image(url=f"{BASE}l", width=640),
    ),
    "the widest where none is wide enough": (
        {"images": (Image(url="s", width=80), Image(url="m", width=300, height=200))},
        Image(url=f"{BASE}m", width=300, height=200),
    ),
    "the first where no size is known": (
        {"images": (Image(url="1"), Image(url="2"))},
        Image(url=f"{BASE}1"),
    ),
    "no picture of the author, and no pixel": (
        {"images": (
            Image(url="https://1.gravatar.com/avatar/x"), Image(url="p", width=1, height=1),
            Image(url=BAD), Image(url="i"),
        )},
        Image(url=f"{BASE}i"),
    ),
    "its words are text": (
        {"images": (Image(url="i", caption="A &amp; <b>B</b>", credit="<i>C</i>"),)},
        Image(url=f"{BASE}i", caption="A & B", credit="C"),
    ),
    "an enclosure that is a picture": (
        {"enclosures": (Enclosure(url="a.mp3"), Enclosure(url="e.jpg", title="E"))},
        Image(url=f"{BASE}e.jpg", caption="E"),
    ),
    "the first in the content, with the figure's caption": (
        {"content": Text(value=FIGURE)},
        Image(url=f"{BASE}c.jpg", width=640, height=480, caption="The caption"),
    ),
    "the first in the content, with its other text": (
        {"content": Text(value='<img src="c?a=1&amp;b=2" alt="C &amp; &quot;D&quot;">')},
        Image(url=f"{BASE}c?a=1&b=2", caption='C & "D"'),
    ),
    "no caption of another figure": (
        {"content": Text(value='<figure><img src="1"></figure><figure><img src="2">'
                               "<figcaption>2</figcaption></figure>")},
        Image(url=f"{BASE}1"),
    ),
    "none where there is none": ({"content": Text(value="<p>x</p>")}, None),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), IMAGES.values(), ids=IMAGES.keys())
def test_image(fields: dict[str, Any], expected: Image | None) -> None:
    assert clean(**fields).image == expected


# --- extensions ------------------------------------------------------------------------------


def extension(name: str, text: str = "", **attributes: str) -> Extension:
    return Extension(name=name, text=text, attributes=tuple(attributes.items()))


EXTENSIONS: dict[str, tuple[Extension, Extension | None]] = {
    "a name that is not allowed goes": (extension("evil:x", "y"), None),
    "an attribute that is not allowed goes": (
        extension("itunes:duration", "1:00", onclick="x"),
        extension("itunes:duration", "1:00"),
    ),
    "text is one line": (
        extension("itunes:author", " A\n\u202eB "),
        extension("itunes:author", "A B"),
    ),
    "URLs are absolute": (
        extension("podcast:transcript", url="t.vtt", type="text/vtt"),
        extension("podcast:transcript", url=f"{BASE}t.vtt", type="text/vtt"),
    ),
    "an unsafe URL goes": (
        extension("podcast:person", "Ann", href=BAD, img="data:x", role="host"),
        extension("podcast:person", "Ann", role="host"),
    ),
    "what is nothing without its URL goes": (
        extension("podcast:chapters", url=BAD, type="application/json+chapters"),
        None,
    ),
    "a reply names what it replies to": (
        extension("thr:in-reply-to", ref="tag:a,2009:1", href="/1"),
        extension("thr:in-reply-to", ref="tag:a,2009:1", href=f"{BASE}1"),
    ),
    "a reply to nothing goes": (extension("thr:in-reply-to", ref=BAD, href="/1"), None),
    "an empty one goes": (extension("itunes:season", " "), None),
}


@pytest.mark.parametrize(("sent", "expected"), EXTENSIONS.values(), ids=EXTENSIONS.keys())
def test_extension(sent: Extension, expected: Extension | None) -> None:
    assert clean(extensions=(sent,)).extensions == ((expected,) if expected else ())


# --- all of it -------------------------------------------------------------------------------


def test_only_an_entry_without_any_content_is_empty() -> None:
    assert entry.is_empty(clean())
    assert entry.is_empty(clean(content=Text(value="<p> </p>"), language="en", categories=("x",)))
    for something in (
        {"guid": "x"}, {"link": "/x"}, {"title": Text(value="x")}, {"content": Text(value="x")},
        {"enclosures": (Enclosure(url="/x"),)}, {"images": (Image(url="/x"),)},
    ):  # fmt: skip
        assert not entry.is_empty(clean(**something))


def test_the_hash_of_the_item_is_kept() -> None:
    assert clean(item_hash=b"h").item_hash == b"h"


def test_an_empty_entry_has_a_fingerprint() -> None:
    assert clean().fingerprint == clean(categories=("x",)).fingerprint


def everywhere(payload: str) -> ParsedEntry:
    text = Text(value=payload, base=payload, language=payload)
    return ParsedEntry(
        guid=payload,
        link=payload,
        title=text,
        summary=text,
        content=text,
        authors=(Author(name=payload, uri=payload, email=payload),),
        categories=(payload,),
        enclosures=(Enclosure(url=payload, type=payload, title=payload),),
        images=(Image(url=payload, caption=payload, credit=payload),),
        origin=Origin(id=payload, title=payload, url=payload),
        links=(("via", payload), ("replies", payload), ("origLink", payload)),
        comments=payload,
        extensions=(extension("podcast:person", payload, href=payload, img=payload),),
        language=payload,
        base=payload,
    )


def assert_safe(cleaned: Entry) -> None:
    assert_inert(cleaned.content)
    image, origin = cleaned.image, cleaned.origin
    urls = [cleaned.link, cleaned.via, cleaned.comments, *(each.uri for each in cleaned.authors)]
    urls += [each.url for each in cleaned.enclosures]
    urls += [image.url] if image else []
    urls += [origin.url] if origin else []
    urls += [v for e in cleaned.extensions for k, v in e.attributes if k in ("href", "img")]
    assert all(url == "" or url.startswith(("http://", "https://")) for url in urls)
    lines = [cleaned.title, cleaned.summary, cleaned.language, *cleaned.categories]
    lines += [each.name for each in cleaned.authors] + [each.email for each in cleaned.authors]
    lines += [each.title for each in cleaned.enclosures]
    assert all(line.splitlines() in ([], [line]) for line in lines)
    assert not any(set(each.email) & set("<>\"' ") for each in cleaned.authors)


@pytest.mark.parametrize("payload", [*PAYLOADS, BAD, "https://a.example/\"onload='alert(1)'"])
def test_no_payload_survives_in_any_field(payload: str) -> None:
    assert_safe(entry.clean(everywhere(payload), base=BASE, now=NOW))


@given(st.text())
def test_any_text_in_any_field_is_made_safe(payload: str) -> None:
    assert_safe(entry.clean(everywhere(payload), base=BASE, now=NOW))
