"""The page and the further links of an entry."""

import pytest

from aggregator.models.entry import ParsedEntry
from tests.parse import atom, atom_entry, parse, rdf, rss, rss_item

PAGE = "http://e.example/1"
PERMALINK = f"<guid>{PAGE}</guid>"


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        pytest.param(f"<link/>{PERMALINK}", PAGE, id="an empty link"),
        pytest.param(f"{PERMALINK}<link> </link>", PAGE, id="an empty link after the guid"),
        pytest.param(f"<link>#</link>{PERMALINK}", PAGE, id="a link to nothing"),
        pytest.param(f"<link>javascript:x()</link>{PERMALINK}", PAGE, id="a link that is a script"),
        pytest.param(f'<guid isPermaLink="FALSE">{PAGE}</guid>', "", id="FALSE in capitals"),
        pytest.param(f'<guid ispermalink="false">{PAGE}</guid>', "", id="ispermalink in small"),
        pytest.param("<guid>10045</guid>", "", id="a number"),
        pytest.param(
            '<guid isPermaLink="true">10045</guid>', "", id="a number that says it is one"
        ),
        pytest.param("<guid>urn:uuid:1</guid>", "", id="a URN"),
        pytest.param("<guid>/1</guid>", "https://example.org/1", id="a path"),
        pytest.param(
            f'<link>{PAGE}</link><a:link href="http://e.example/2"/>', PAGE, id="link, atom:link"
        ),
        pytest.param(f'<a:link href="{PAGE}"/>', PAGE, id="atom:link alone"),
        pytest.param(f'<a:link rel="self" href="{PAGE}"/>', "", id="the entry's own document"),
        pytest.param(f"<comments>{PAGE}#comments</comments>", PAGE, id="the page of comments"),
        pytest.param(f"<feedburner:origLink>{PAGE}</feedburner:origLink>", PAGE, id="origLink"),
        pytest.param(f"<link>\n {PAGE}\n</link>", PAGE, id="white space around it"),
        pytest.param("<link>www.e.example/1</link>", "www.e.example/1", id="no scheme, for clean"),
    ],
)
def test_the_page_of_an_rss_item(inside: str, link: str) -> None:
    assert rss_item(inside).link == link


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        pytest.param(
            f'<link type="application/json" href="{PAGE}.json"/><link href="{PAGE}"/>',
            PAGE,
            id="a page before another type",
        ),
        pytest.param(
            f'<link type="text/html; charset=utf-8" href="{PAGE}"/><link href="{PAGE}/b"/>',
            PAGE,
            id="the first of two pages",
        ),
        pytest.param(
            f'<id>tag:e.example,2020:1</id><link type="application/pdf" href="{PAGE}"/>',
            PAGE,
            id="another type beside an id that is no page",
        ),
        pytest.param(
            f'<link rel="http://www.iana.org/assignments/relation/alternate" href="{PAGE}"/>',
            PAGE,
            id="the IRI of the relation",
        ),
        pytest.param(f'<link rel="Alternate" href="{PAGE}"/>', PAGE, id="in any case"),
        pytest.param(f'<id>{PAGE}</id><link href=""/>', PAGE, id="an empty href"),
        pytest.param(
            f'<link href="{PAGE}"/><link rel="enclosure">http://e.example/p.jpg</link>',
            PAGE,
            id="the text of an enclosure",
        ),
        pytest.param(f'<content type="text/html" src="{PAGE}"/>', PAGE, id="content elsewhere"),
    ],
)
def test_the_page_of_an_atom_entry(inside: str, link: str) -> None:
    assert atom_entry(inside).link == link


@pytest.mark.parametrize(
    ("language", "first", "second", "chosen"),
    [
        ("sv", 'hreflang="da"', 'hreflang="sv-SE"', "2"),
        ("sv", 'hreflang="da"', "", "2"),
        ("nl", 'hreflang="da"', 'hreflang="sv"', "1"),
        ("", 'hreflang="da"', 'hreflang="sv"', "1"),
    ],
)
def test_of_pages_in_several_languages_the_entrys(
    language: str, first: str, second: str, chosen: str
) -> None:
    links = f'<link {first} href="http://e.example/1"/><link {second} href="http://e.example/2"/>'
    (entry,) = parse(atom(f"<entry>{links}</entry>", attributes=f'xml:lang="{language}"')).entries
    assert entry.link == f"http://e.example/{chosen}"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("?a=1&lang=sv&copy=2&para=3", "?a=1&lang=sv&copy=2&para=3"),
        ("?a=1&amp;lang=sv", "?a=1&lang=sv"),
        ("?a=1&amp;amp;b=2", "?a=1&b=2"),
        ("<![CDATA[?a=1&lang=sv]]>", "?a=1&lang=sv"),
    ],
)
def test_ampersands_of_addresses_stay(sent: str, read: str) -> None:
    start = PAGE if "CDATA" not in sent else ""
    entry = rss_item(f"<link>{start}{sent}</link>")
    assert entry.link.endswith(read)
    if start:
        assert rss_item(f"<guid>{PAGE}{sent.replace('amp;amp', 'amp')}</guid>").guid == PAGE + read


def test_the_id_of_an_rdf_item_is_its_page() -> None:
    (entry,) = parse(rdf(f'<item rdf:about="{PAGE}"><title>t</title></item>')).entries
    assert entry.link == PAGE


@pytest.mark.parametrize(
    ("entry", "comments"),
    [
        pytest.param(rss_item("<comments>No comments yet</comments>"), "", id="words"),
        pytest.param(rss_item("<comments>12</comments>"), "", id="a number"),
        pytest.param(rss_item(f"<comments>{PAGE}#c</comments>"), f"{PAGE}#c", id="a page"),
        pytest.param(
            atom_entry(
                f'<link rel="replies" type="application/atom+xml" href="{PAGE}.atom"/>'
                f'<link rel="replies" type="text/html" href="{PAGE}#c"/>'
            ),
            f"{PAGE}#c",
            id="a page, not the feed of comments",
        ),
        pytest.param(
            atom_entry(f'<link rel="replies" href="{PAGE}/comments.xml"/>'), "", id="a feed, unsaid"
        ),
    ],
)
def test_comments_lead_to_a_page(entry: ParsedEntry, comments: str) -> None:
    assert entry.comments == comments


def test_texts_resolve_against_a_page_on_the_feeds_site_only() -> None:
    items = "".join(
        f"<item><link>http://{host}/a/</link><description>&lt;p>x</description></item>"
        for host in ("e.example", "www.e.example", "x.example")
    )
    feed = parse(rss(f"<link>http://e.example/</link>{items}"))
    bases = [entry.summary.base for entry in feed.entries if entry.summary]
    assert bases == ["http://e.example/a/", "http://www.e.example/a/", ""]
