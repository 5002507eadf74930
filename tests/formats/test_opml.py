"""An export imports as the same list, and a hostile file imports nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.formats import opml
from aggregator.formats.opml import NotOpml, OpmlDocument, Outline, Rejected
from tests import validators
from tests.formats.strategies import SEEN, nasty, plain, urls

SOURCE = Outline(
    text='The "Herald" & Co <daily>\nnews',
    url="https://herald.example/feed?a=1&b=2",
    link="https://herald.example/",
    description="All of it",
    language="en",
    categories=("world", "/news/local"),
)


def wrap(outlines: str) -> bytes:
    return f'<opml version="2.0"><head/><body>{outlines}</body></opml>'.encode()


def outlines(
    text: st.SearchStrategy[str], url: st.SearchStrategy[str]
) -> st.SearchStrategy[tuple[Outline, ...]]:
    source = st.builds(
        Outline,
        text=text,
        url=url,
        link=st.one_of(st.just(""), url),
        description=st.one_of(st.just(""), text),
        language=st.sampled_from(["", "en"]),
        categories=st.lists(plain, max_size=2).map(tuple),
    )
    folder = st.builds(
        Outline, text=text, children=st.lists(source, min_size=1, max_size=3).map(tuple)
    )
    return st.lists(st.one_of(source, folder), max_size=4).map(tuple)


@given(outlines(plain, urls(plain).map(lambda url: url.split('"')[0])))
@settings(max_examples=60)
def test_an_export_imports_as_the_same_set(exported: tuple[Outline, ...]) -> None:
    body = opml.render(exported, title="Mine", modified=SEEN)
    assert opml.parse(body) == OpmlDocument(title="Mine", outlines=exported)


@given(outlines(nasty, urls(nasty)))
@settings(max_examples=60)
def test_a_document_of_any_names_is_valid(exported: tuple[Outline, ...]) -> None:
    assert validators.opml(opml.render(exported, title="x", modified=SEEN)) == []


def test_quotes_and_newlines_survive() -> None:
    assert opml.parse(opml.render((SOURCE,), title="Mine")).outlines == (SOURCE,)


def test_an_empty_export_is_valid_and_imports_nothing() -> None:
    body = opml.render((), title="Mine")
    assert validators.opml(body) == []
    assert opml.parse(body) == OpmlDocument(title="Mine")


def test_sources_are_listed_with_their_folders() -> None:
    inner = Outline(text="Local", children=(SOURCE,))
    news = Outline(text="News", children=(inner,))
    assert list(opml.sources((news, SOURCE))) == [((news, inner), SOURCE), ((), SOURCE)]


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param('text="a" xmlUrl="https://a.example/"', id="the form of the specification"),
        pytest.param('title="a" XMLURL="https://a.example/"', id="other case, title for text"),
        pytest.param('text="a" xmlurl=" https://a.example/ "', id="lower case, spaces around"),
        pytest.param('text="a" type="rss" url="https://a.example/"', id="url for xmlUrl"),
        pytest.param('text="a" xmlUrl="https://a.example/" x="y"', id="an unknown attribute"),
        pytest.param(
            'text="a" xmlUrl="https://a.example/" htmlUrl="javascript:x"', id="a site of no use"
        ),
    ],
)
def test_a_source_is_read_in_all_forms_seen(attributes: str) -> None:
    read = opml.parse(wrap(f"<outline {attributes}/>"))
    assert read.outlines == (Outline(text="a", url="https://a.example/"),)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(opml.render((SOURCE,), title="é").decode().encode("utf-8-sig"), id="a BOM"),
        pytest.param(
            opml.render((SOURCE,), title="é").decode().replace("utf-8", "utf-16").encode("utf-16"),
            id="UTF-16",
        ),
        pytest.param(
            opml.render((SOURCE,), title="é")
            .decode()
            .replace("utf-8", "iso-8859-1")
            .encode("latin-1"),
            id="Latin 1",
        ),
        pytest.param(b"\n\n " + opml.render((SOURCE,), title="é"), id="space before the XML"),
    ],
)
def test_the_encoding_is_found(body: bytes) -> None:
    assert opml.parse(body) == OpmlDocument(title="é", outlines=(SOURCE,))


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "exec:rm -rf /", "|command", "filter:a:https://a.example/"),
        *("javascript:alert(1)", "data:text/xml,x", "//a.example/feed", "feed.xml", "https://"),
        *("ftp://a.example/", "https://a.example/a\\b", "https://a.example\\@b", "http://[::1"),
    ],
)
def test_an_address_that_can_not_be_polled_is_reported(url: str) -> None:
    read = opml.parse(wrap(f'<outline text="a" xmlUrl="{url}"/>'))
    assert read.outlines == ()
    assert [(r.text, r.url) for r in read.rejected] == [("a", url)]
    assert read.rejected[0].reason


@pytest.mark.parametrize(
    ("url", "mended"),
    [
        ("feed:https://a.example/feed", "https://a.example/feed"),
        ("feed://a.example/feed", "http://a.example/feed"),
        ("FEED:http://a.example/feed", "http://a.example/feed"),
        ("https://a.example/a b", "https://a.example/a%20b"),
    ],
)
def test_a_sloppy_address_is_corrected(url: str, mended: str) -> None:
    read = opml.parse(wrap(f'<outline text="a" xmlUrl="{url}"/>'))
    assert [outline.url for outline in read.outlines] == [mended]


def test_a_page_that_the_other_reader_scrapes_is_reported() -> None:
    read = opml.parse(wrap('<outline text="a" type="HTML+XPath" xmlUrl="https://a.example/"/>'))
    assert [r.reason for r in read.rejected] == ["outlines of type html+xpath are not supported"]


def test_an_inclusion_is_not_followed() -> None:
    read = opml.parse(wrap('<outline text="a" type="include" url="https://a.example/o.opml"/>'))
    reason = "outlines of type include are not supported"
    assert read.rejected == (Rejected(text="a", url="https://a.example/o.opml", reason=reason),)


def test_a_commented_outline_is_reported() -> None:
    read = opml.parse(wrap('<outline text="a" xmlUrl="https://a.example/" isComment="true"/>'))
    assert (read.outlines, len(read.rejected)) == ((), 1)


def test_the_folder_of_a_refused_source_keeps_the_others() -> None:
    good = '<outline text="a" xmlUrl="https://a.example/"/>'
    read = opml.parse(wrap(f'<outline text="F"><outline xmlUrl="exec:x"/>{good}</outline>'))
    assert [url.url for _, url in opml.sources(read.outlines)] == ["https://a.example/"]


BOMB = (
    '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{"&a;" * 10}">' for n in range(9))
    + ']><opml><body><outline text="&a8;"/></body></opml>'
)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(
            b'<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body>&x;</body></opml>',
            "DOCTYPE",
            id="an entity that names a file",
        ),
        pytest.param(BOMB.encode(), "DOCTYPE", id="entities that multiply"),
        pytest.param(b'<!DOCTYPE opml SYSTEM "http://a.example/"><opml/>', "DOCTYPE", id="a DTD"),
        pytest.param(b"<opml><body>", "Premature end", id="cut off"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"<html/>", "not <opml>", id="another document"),
        pytest.param(wrap('<outline text="\x00"/>'), "invalid", id="a NUL"),
        pytest.param(
            wrap('<outline text="a">' * 1000 + "</outline>" * 1000), "50 deep", id="1,000 levels"
        ),
        pytest.param(wrap('<outline text="a"/>' * 20_001), "20000 outlines", id="too many"),
        pytest.param(b" " * 10_000_001, "10000000", id="too long"),
    ],
)
def test_an_unreadable_file_is_refused_as_a_whole(body: bytes, why: str) -> None:
    with pytest.raises(NotOpml, match=why):
        opml.parse(body)
