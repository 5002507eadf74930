"""The elements of RSS, RDF and Atom, one fact each."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.models.entry import Author, Origin, ParsedEntry, Text
from aggregator.parse import document
from tests.parse import URL, atom, atom_entry, parse, rdf, rss, rss_item

# --- entries ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "guid"),
    [
        pytest.param(rss_item("<guid>post/1</guid>"), "post/1", id="a relative guid, as sent"),
        pytest.param(rss_item("<guid isPermaLink='false'>7</guid>"), "7", id="a number"),
        pytest.param(rss_item("<guid><![CDATA[ x ]]></guid>"), "x", id="CDATA, stripped"),
        pytest.param(rss_item("<title>t</title>"), "", id="none"),
        pytest.param(atom_entry("<id>urn:x:1</id>"), "urn:x:1", id="an Atom id"),
        pytest.param(
            parse(rdf('<item rdf:about="http://e.org/1"/>')).entries[0],
            "http://e.org/1",
            id="rdf:about",
        ),
    ],
)
def test_guid(entry: ParsedEntry, guid: str) -> None:
    assert entry.guid == guid


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        pytest.param(rss_item("<link>http://e.org/1</link>"), "http://e.org/1", id="RSS"),
        pytest.param(
            rss_item("<guid>http://e.org/1</guid>"), "http://e.org/1", id="a guid is a permalink"
        ),
        pytest.param(
            rss_item("<guid isPermaLink='false'>http://e.org/1</guid>"), "", id="unless it says not"
        ),
        pytest.param(rss_item("<link>1</link>"), "https://example.org/blog/1", id="relative"),
        pytest.param(atom_entry('<link href="http://e.org/1"/>'), "http://e.org/1", id="Atom"),
        pytest.param(
            atom_entry('<link rel="edit" href="http://e.org/2"/>'), "", id="edit is no page"
        ),
        pytest.param(
            atom_entry('<link type="text/plain" href="http://e.org/1"/>'),
            "http://e.org/1",
            id="an alternate of another type is better than none",
        ),
    ],
)
def test_link(entry: ParsedEntry, link: str) -> None:
    assert entry.link == link


def test_relative_links_are_resolved_by_xml_base_then_the_feeds_link_then_the_url() -> None:
    item = "<item><link>1</link></item>"
    based = '<item xml:base="http://b.org/x/"><link>1</link></item>'
    assert parse(rss(item)).entries[0].link == "https://example.org/blog/1"
    linked = rss(f"<link>http://l.org/y/</link>{item}{based}")
    assert [entry.link for entry in parse(linked).entries] == [
        "http://l.org/y/1",
        "http://b.org/x/1",
    ]


@pytest.mark.parametrize(
    ("bases", "link"),
    [
        (("http://b.org/x/", "y/"), "http://b.org/x/y/1"),
        (("http://b.org/x/", "/y/"), "http://b.org/y/1"),
        (("javascript:x", ""), "https://example.org/blog/1"),
        (("http://[", "z/"), "https://example.org/blog/z/1"),
    ],
)
def test_bases_resolve_against_those_around_them(bases: tuple[str, str], link: str) -> None:
    item = f'<item xml:base="{bases[1]}"><link>1</link></item>'
    body = f'<rss version="2.0" xml:base="{bases[0]}"><channel>{item}</channel></rss>'
    assert parse(body.encode()).entries[0].link == link


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        pytest.param(
            rss_item("<title>A &lt; B</title>"), Text(value="A < B", type="text"), id="RSS"
        ),
        pytest.param(
            rss_item("<title>A &lt;b>B&lt;/b></title>"),
            Text(value="A <b>B</b>", type="html"),
            id="RSS with tags is HTML",
        ),
        pytest.param(
            rss_item("<title>A &amp;amp; B</title>"),
            Text(value="A &amp; B", type="html"),
            id="RSS with an entity is HTML",
        ),
        pytest.param(
            atom_entry("<title>A &lt;b></title>"),
            Text(value="A <b>", type="text"),
            id="Atom is text",
        ),
        pytest.param(
            atom_entry('<title type="html">A &lt;b>B&lt;/b></title>'),
            Text(value="A <b>B</b>", type="html"),
            id="Atom HTML",
        ),
        pytest.param(
            atom_entry(
                '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
                "A <b>B</b> &lt;</div></title>"
            ),
            Text(value="A <b>B</b> &lt;", type="xhtml"),
            id="Atom XHTML, without its div",
        ),
        pytest.param(
            atom_entry('<title xml:lang="fr" xml:base="http://b.org/">A</title>'),
            Text(value="A", type="text", language="fr", base="http://b.org/"),
            id="language and base",
        ),
        pytest.param(rss_item("<title/>"), None, id="an empty one is none"),
        pytest.param(
            rss_item("<title>A</title><media:title>B</media:title>"),
            Text(value="A", type="text"),
            id="a picture's title is not the item's",
        ),
    ],
)
def test_title(entry: ParsedEntry, title: Text | None) -> None:
    assert entry.title == title


def values(entry: ParsedEntry) -> tuple[str | None, str | None]:
    summary, content = entry.summary, entry.content
    return summary.value if summary else None, content.value if content else None


@pytest.mark.parametrize(
    ("entry", "summary", "content"),
    [
        pytest.param(rss_item("<description>D</description>"), "D", None, id="a description"),
        pytest.param(
            rss_item("<description>D</description><content:encoded>C</content:encoded>"),
            "D",
            "C",
            id="description and content",
        ),
        pytest.param(
            rss_item("<content:encoded>C</content:encoded>"), None, "C", id="content alone"
        ),
        pytest.param(
            atom_entry('<summary>S</summary><content type="html">C</content>'),
            "S",
            "C",
            id="Atom",
        ),
        pytest.param(
            rss_item(
                "<description>D</description><media:content url='i.jpg' medium='image'>"
                "<media:description>A caption</media:description></media:content>"
            ),
            "D",
            None,
            id="a caption is no content",
        ),
        pytest.param(
            rss_item("<description>D</description><itunes:summary>I</itunes:summary>"),
            "D",
            None,
            id="a blurb is no content",
        ),
        pytest.param(
            rss_item("<media:group><media:description>M</media:description></media:group>"),
            "M",
            None,
            id="but a summary where there is no other",
        ),
        pytest.param(
            atom_entry('<content type="image/png">aGk=</content>'),
            None,
            None,
            id="a picture inline",
        ),
        pytest.param(
            atom_entry('<content type="text">T</content><content type="html">H</content>'),
            None,
            "H",
            id="HTML before text",
        ),
    ],
)
def test_summary_and_content(entry: ParsedEntry, summary: str | None, content: str | None) -> None:
    assert values(entry) == (summary, content)


def test_markup_is_left_as_it_came() -> None:
    entry = rss_item("<description>&lt;a href='/x' onclick='y()'>&lt;script></description>")
    assert values(entry)[0] == "<a href='/x' onclick='y()'><script>"


def test_an_entrys_base_is_that_of_its_content() -> None:
    entry = atom_entry('<content type="html" xml:base="http://b.org/x/">c</content>')
    assert entry.base == "http://b.org/x/"
    assert rss_item("<description>d</description>").base == ""


@pytest.mark.parametrize(
    ("entry", "authors"),
    [
        pytest.param(
            rss_item("<author>j@e.org (Jane Doe)</author>"),
            (Author(name="Jane Doe", email="j@e.org"),),
            id="RSS: mail and name",
        ),
        pytest.param(
            rss_item("<author>Jane Doe</author>"), (Author(name="Jane Doe"),), id="RSS: a name"
        ),
        pytest.param(
            rss_item("<dc:creator>A</dc:creator><dc:creator>B</dc:creator>"),
            (Author(name="A"), Author(name="B")),
            id="two creators",
        ),
        pytest.param(
            rss_item("<dc:creator>A</dc:creator><itunes:author>A</itunes:author>"),
            (Author(name="A"),),
            id="one person twice",
        ),
        pytest.param(
            atom_entry(
                "<author><name>N</name><uri>http://n.org/</uri><email>n@e.org</email></author>"
            ),
            (Author(name="N", uri="http://n.org/", email="n@e.org"),),
            id="Atom",
        ),
        pytest.param(rss_item("<author/>"), (), id="nobody"),
    ],
)
def test_authors(entry: ParsedEntry, authors: tuple[Author, ...]) -> None:
    assert entry.authors == authors


@pytest.mark.parametrize(
    ("entry", "categories"),
    [
        pytest.param(
            rss_item(
                "<category>A</category><category domain='d'>B</category><category>A</category>"
            ),
            ("A", "B"),
            id="RSS, each once",
        ),
        pytest.param(atom_entry('<category term="t" label="L"/>'), ("L",), id="a label"),
        pytest.param(atom_entry('<category term="t"/>'), ("t",), id="a term"),
        pytest.param(rss_item("<dc:subject>S</dc:subject>"), ("S",), id="a subject"),
        pytest.param(rss_item("<category/>"), (), id="an empty one"),
        pytest.param(
            rss_item("<itunes:keywords>k,l</itunes:keywords>"), (), id="keywords are for machines"
        ),
    ],
)
def test_categories(entry: ParsedEntry, categories: tuple[str, ...]) -> None:
    assert entry.categories == categories


def test_published_and_updated_are_not_confused() -> None:
    entry = rss_item("<pubDate>Sat, 27 Jun 2009 21:26:00 GMT</pubDate>")
    assert (entry.published, entry.updated) == (datetime(2009, 6, 27, 21, 26, tzinfo=UTC), None)
    entry = atom_entry("<updated>2009-06-27T23:26:00+02:00</updated>")
    assert (entry.published, entry.updated) == (None, datetime(2009, 6, 27, 21, 26, tzinfo=UTC))


def test_further_links() -> None:
    entry = atom_entry(
        '<link href="http://e.org/1"/><link rel="via" href="http://v.org/"/>'
        '<link rel="related" href="http://r.org/"/><link rel="related" href="http://r.org/"/>'
    )
    assert entry.links == (("via", "http://v.org/"), ("related", "http://r.org/"))


def test_feedburners_original_link() -> None:
    entry = rss_item(
        "<link>http://feeds.example/~1</link>"
        "<feedburner:origLink>http://e.org/1</feedburner:origLink>"
    )
    assert entry.links == (("origLink", "http://e.org/1"),)


def test_comments_are_a_page() -> None:
    assert rss_item("<comments>http://e.org/1#c</comments>").comments == "http://e.org/1#c"


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        pytest.param(
            rss_item('<source url="http://o.org/rss">Other</source>'),
            Origin(title="Other", url="http://o.org/rss"),
            id="RSS",
        ),
        pytest.param(
            atom_entry(
                '<source><id>urn:o</id><title type="html">O &amp;amp; P</title>'
                '<link href="http://o.org/"/><link rel="self" href="http://o.org/atom"/></source>'
            ),
            Origin(id="urn:o", title="O &amp; P", url="http://o.org/atom"),
            id="Atom",
        ),
        pytest.param(rss_item("<source/>"), None, id="an empty one"),
        pytest.param(rss_item("<title>t</title>"), None, id="none"),
    ],
)
def test_origin(entry: ParsedEntry, origin: Origin | None) -> None:
    assert entry.origin == origin


def test_an_origins_title_and_id_are_not_the_entrys() -> None:
    entry = atom_entry("<id>urn:e</id><source><id>urn:o</id><title>O</title></source>")
    assert (entry.guid, entry.title) == ("urn:e", None)


@pytest.mark.parametrize(
    ("entry", "language"),
    [
        pytest.param(rss_item("<dc:language>sv</dc:language>"), "sv", id="dc:language"),
        pytest.param(
            parse(atom('<entry xml:lang="de_AT"><title>t</title></entry>')).entries[0],
            "de-AT",
            id="xml:lang",
        ),
        pytest.param(rss_item("<title>t</title>"), "", id="none"),
    ],
)
def test_language(entry: ParsedEntry, language: str) -> None:
    assert entry.language == language


def test_entries_keep_the_documents_order() -> None:
    feed = parse(rss("".join(f"<item><guid>{n}</guid></item>" for n in (3, 1, 2))))
    assert [entry.guid for entry in feed.entries] == ["3", "1", "2"]


# --- feeds -----------------------------------------------------------------------------------


def test_a_feed_of_rss() -> None:
    feed = parse(
        rss(
            "<title>T &lt; U</title><link>http://e.org/</link><description>D</description>"
            "<language>en-gb</language><copyright>C</copyright>"
            "<lastBuildDate>Sat, 27 Jun 2009 21:26:00 GMT</lastBuildDate>"
            "<managingEditor>e@e.org (Ed)</managingEditor>"
            "<image><url>http://e.org/i.png</url><title>I</title></image>"
            '<a:link rel="self" href="http://e.org/rss"/><a:link rel="hub" href="http://h.org/"/>'
        )
    )
    assert feed.version == "rss20"
    assert (feed.title, feed.link, feed.subtitle) == ("T &lt; U", "http://e.org/", "D")
    assert (feed.language, feed.rights, feed.image) == ("en-gb", "C", "http://e.org/i.png")
    assert feed.updated == datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    assert feed.authors == (Author(name="Ed", email="e@e.org"),)
    assert feed.links == (("self", "http://e.org/rss"), ("hub", "http://h.org/"))


def test_a_feed_of_atom() -> None:
    feed = parse(
        atom(
            "<id>urn:f</id><title>T</title><subtitle type='html'>&lt;b>S&lt;/b></subtitle>"
            "<rights>R</rights><logo>l.png</logo><icon>i.png</icon>"
            "<updated>2009-06-27T21:26:00Z</updated><author><name>N</name></author>"
            '<link href="http://e.org/"/><link rel="prev-archive" href="http://e.org/2"/>',
            attributes='xml:lang="en"',
        )
    )
    assert feed.version == "atom10"
    assert (feed.id, feed.title, feed.subtitle) == ("urn:f", "T", "<b>S</b>")
    assert (feed.link, feed.rights, feed.image, feed.language) == (
        "http://e.org/",
        "R",
        "http://e.org/l.png",
        "en",
    )
    assert feed.links == (("prev-archive", "http://e.org/2"),)
    assert feed.authors == (Author(name="N"),)


def test_a_feed_of_rdf() -> None:
    feed = parse(
        rdf(
            "<channel><title>T</title><link>http://e.org/</link></channel>"
            "<image><url>http://e.org/i.png</url></image><item><title>t</title></item>"
        )
    )
    assert (feed.version, feed.title, feed.link) == ("rss10", "T", "http://e.org/")
    assert feed.image == "http://e.org/i.png"
    assert len(feed.entries) == 1


def test_an_items_image_is_not_the_feeds() -> None:
    feed = parse(
        rss(
            "<image><url>http://e.org/f.png</url></image>"
            "<item><image><url>http://e.org/i.png</url></image></item>"
        )
    )
    assert feed.image == "http://e.org/f.png"
    assert [image.url for image in feed.entries[0].images] == ["http://e.org/i.png"]


@pytest.mark.parametrize(
    ("sent", "ttl"),
    [
        ("60", timedelta(hours=1)),
        (" 5 ", timedelta(minutes=5)),
        ("0", None),
        ("-5", None),
        ("1e3", None),
        ("soon", None),
        ("99999999999", None),
    ],
)
def test_ttl_is_minutes(sent: str, ttl: timedelta | None) -> None:
    assert parse(rss(f"<ttl>{sent}</ttl>")).ttl == ttl


@pytest.mark.parametrize(
    ("period", "frequency", "expected"),
    [
        pytest.param("hourly", "2", timedelta(minutes=30), id="twice an hour"),
        pytest.param("hourly", None, timedelta(hours=1), id="once is the default"),
        pytest.param(None, "4", timedelta(hours=6), id="daily is the default"),
        pytest.param("Weekly", "0", timedelta(weeks=1), id="a frequency of nothing"),
        pytest.param("fortnightly", "1", None, id="no such period"),
        pytest.param(None, None, None, id="nothing said"),
    ],
)
def test_update_period(
    period: str | None, frequency: str | None, expected: timedelta | None
) -> None:
    said = f"<sy:updatePeriod>{period}</sy:updatePeriod>" if period else ""
    said += f"<sy:updateFrequency>{frequency}</sy:updateFrequency>" if frequency else ""
    assert parse(rss(said)).update_period == expected


def test_update_base() -> None:
    feed = parse(rss("<sy:updateBase>2000-01-01T12:00+00:00</sy:updateBase>"))
    assert feed.update_base == datetime(2000, 1, 1, 12, tzinfo=UTC)


def test_skipped_hours_and_days() -> None:
    feed = parse(
        rss(
            "<skipHours><hour>0</hour><hour> 7 </hour><hour>24</hour><hour>25</hour><hour>x</hour>"
            "</skipHours><skipDays><day>Monday</day><day>SUNDAY</day><day>Noday</day></skipDays>"
        )
    )
    assert feed.skip_hours == frozenset({0, 7})
    assert feed.skip_days == frozenset({0, 6})


def test_complete_and_archived_feeds() -> None:
    plain = parse(rss("<title>t</title>"))
    assert (plain.complete, plain.archive) == (False, False)
    assert parse(rss("<fh:complete/>")).complete
    assert parse(rss("<fh:archive/>")).archive


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(rss("<item><title>a</item>"), "end tag does not match", id="a missing end"),
        pytest.param(rss("<item><title>a&nbsp;b</title></item>"), "such as &nbsp;", id="entities"),
        pytest.param(rss("<item><x:y>a</x:y></item>"), "prefix", id="a prefix"),
        pytest.param(rss("<item></item>")[:-16], "ends too early", id="a document cut off"),
        pytest.param(rss("<item></item>") + b"<p>", "end of the feed", id="more after the end"),
    ],
)
def test_an_ill_formed_document_is_read_with_a_problem(body: bytes, said: str) -> None:
    feed = parse(body)
    assert len(feed.entries) == 1
    (problem,) = feed.problems
    assert problem.startswith("line 1: ")
    assert said in problem


def test_entities_of_html_are_read_in_ill_formed_documents() -> None:
    (entry,) = parse(rss("<item><title>caf&eacute;</title><guid>1</guid></item>")).entries
    assert (entry.title, entry.guid) == (Text(value="café", type="text"), "1")


def test_an_invalid_url_does_no_harm() -> None:
    feed = parse(rss("<link>http://[oops</link><item><link>x</link></item>"))
    assert feed.entries[0].link == URL.replace("feed.xml", "x")


class TestFirstItems:
    """A limit takes the items at the beginning, however the document is read."""

    NEW = "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in range(5))

    def titles(self, changes: document.Changes) -> list[str]:
        return [entry.guid for entry in changes.feed.entries]

    def first(self, body: bytes, known: bytes = b"") -> document.Changes:
        return document.first_items(document.parse_changes(body, url=URL, known=known), 3)

    def test_of_a_document_that_is_split(self) -> None:
        changes = self.first(rss(self.NEW))
        assert self.titles(changes) == ["0", "1", "2"]
        assert len(changes.item_hashes) == 3 * 16
        again = self.first(rss(self.NEW), changes.item_hashes[16:])
        assert self.titles(again) == ["0"]
        assert again.item_hashes == changes.item_hashes

    def test_of_a_document_that_is_not_split(self) -> None:
        changes = self.first(rss(self.NEW + "<item>"))
        assert self.titles(changes) == ["0", "1", "2"]
        assert changes.item_hashes == b""

    def test_of_json(self) -> None:
        items = ",".join(f'{{"id": "{n}", "content_text": "{n}"}}' for n in range(5))
        body = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{items}]}}'
        changes = self.first(body.encode())
        assert self.titles(changes) == ["0", "1", "2"]
        assert len(changes.item_hashes) == 3 * 16

    def test_all_without_a_limit(self) -> None:
        changes = document.parse_changes(rss(self.NEW), url=URL)
        assert document.first_items(changes, 0) is changes
