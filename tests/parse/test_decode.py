import pytest

from aggregator.parse import decode
from aggregator.parse.decode import NotAFeed
from tests.parse import parse, rss

ITEM = "<item><title>Zoë à Łódź</title></item>"
LATIN_ITEM = "<item><title>Zoë à Paris</title></item>"


def title(body: bytes, content_type: str = "") -> str:
    text = parse(body, content_type).entries[0].title
    assert text is not None
    return text.value


def declared(encoding: str, item: str = LATIN_ITEM) -> str:
    return rss(item, head=f'<?xml version="1.0" encoding="{encoding}"?>').decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(
            rss(LATIN_ITEM).decode().encode("latin-1"),
            "text/xml; charset=iso-8859-1",
            id="the charset parameter counts",
        ),
        pytest.param(
            declared("windows-1252").encode("cp1252"), "", id="the XML declaration counts"
        ),
        pytest.param(
            declared("windows-1251").encode("cp1252"),
            'application/xml; charset="windows-1252"',
            id="the charset parameter counts before the XML declaration",
        ),
        pytest.param(rss(LATIN_ITEM), "", id="without any it is UTF-8"),
        pytest.param(rss(LATIN_ITEM), "text/xml", id="text/xml too is UTF-8 (RFC 7303)"),
        pytest.param(
            b"\xef\xbb\xbf" + declared("iso-8859-1").encode(),
            "text/xml; charset=iso-8859-1",
            id="a byte order mark counts before both",
        ),
        pytest.param(
            declared("utf-16").encode("utf-16"), "", id="UTF-16 is told by its byte order mark"
        ),
        pytest.param(declared("utf-16").encode("utf-16-le"), "", id="UTF-16 without a mark"),
        pytest.param(
            rss(LATIN_ITEM), "text/xml; charset=us-ascii", id="UTF-8 that is called ASCII is UTF-8"
        ),
        pytest.param(
            declared("utf-8").encode("cp1252"), "", id="Windows-1252 that is called UTF-8"
        ),
        pytest.param(
            declared("no-such").encode(), "text/xml; charset=zlib", id="names of no encoding"
        ),
    ],
)
def test_encodings(body: bytes, content_type: str) -> None:
    assert title(body, content_type) == "Zoë à Paris"


def test_bytes_that_are_not_of_the_marked_encoding_are_replaced_and_said() -> None:
    body = b"\xef\xbb\xbf" + rss("<item><title>a!b</title></item>").replace(b"!", b"\xff")
    assert title(body) == "a\ufffdb"
    assert parse(body).problems == ("bytes that are no UTF-8 were replaced by \ufffd",)


def test_bytes_of_no_declared_encoding_are_read_as_they_stand() -> None:
    body = rss("<item><title>a\xe9\x81</title></item>").decode().encode("latin-1")
    feed = parse(body)
    assert feed.problems == ("declared as utf-8, but is not; read as latin-1",)
    assert title(body).startswith("aé")


def test_seven_bit_encodings_are_not_taken_for_utf8() -> None:
    body = declared("iso-2022-jp", "<item><title>東京</title></item>").encode("iso-2022-jp")
    assert title(body) == "東京"


def test_gb2312_is_read_as_its_superset() -> None:
    body = declared("gb2312", "<item><title>镕</title></item>").encode("gb18030")
    assert title(body) == "镕"


def test_a_wrong_charset_is_a_problem_that_is_said() -> None:
    feed = parse(rss(ITEM), "application/rss+xml; charset=us-ascii")
    assert feed.problems == ("declared as ascii, but is UTF-8; read as UTF-8",)


def test_a_right_document_has_no_problems() -> None:
    assert parse(declared("utf-8").encode()).problems == ()


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        pytest.param("a\0b", "ab", id="NUL bytes are taken out"),
        pytest.param("a\x0bb", "ab", id="control characters are taken out"),
        pytest.param("a\uffffb", "ab", id="noncharacters are taken out"),
        pytest.param("a&#11;b", "ab", id="references to control characters are taken out"),
        pytest.param("a&#0;b", "ab", id="references to NUL are taken out"),
        pytest.param("a&#x110000;b", "ab", id="references beyond Unicode are taken out"),
        pytest.param("a&#99999999999999;b", "ab", id="references of many digits are taken out"),
        pytest.param("a&#xD83D;&#xDE00;b", "a😀b", id="a pair of surrogates is one character"),
        pytest.param("a&#55357;&#56832;b", "a😀b", id="a decimal pair of surrogates too"),
        pytest.param("a&#xD83D;b", "ab", id="a lone surrogate is taken out"),
        pytest.param("a&#x1F600;b", "a😀b", id="a legal reference of five digits stays"),
        pytest.param("a&#0000233;b", "aéb", id="leading zeros are legal"),
    ],
)
def test_characters_that_xml_forbids(sent: str, read: str) -> None:
    assert title(rss(f"<item><title>{sent}</title></item>")) == read


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("\n\n  <?xml version='1.0'?>", id="white space before the declaration"),
        pytest.param("Notice: oops <?xml version='1.0'?>", id="a message before the declaration"),
        pytest.param("<!-- made by hand --><?style x?>", id="comments and instructions"),
        pytest.param(
            '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"\n'
            ' "http://my.netscape.com/publish/formats/rss-0.91.dtd">',
            id="a DTD elsewhere",
        ),
        pytest.param('<!DOCTYPE rss [<!ENTITY eacute "&#233;">]>', id="a DTD with a character"),
        pytest.param(
            '<!DOCTYPE rss [<!ENTITY % HTML SYSTEM "http://127.0.0.1:9/x.ent"> %HTML; ]>',
            id="a DTD that wants another",
        ),
        pytest.param("<!DOCTYPE rss [<!ELEMENT rss ANY> <!-- ]> -->]>", id="a DTD with a grammar"),
    ],
)
def test_what_may_stand_before_the_root(head: str) -> None:
    body = rss("<item><title>caf&eacute;</title></item>", head=head)
    assert title(body) == "café"


def test_line_numbers_stay_true() -> None:
    head = '\n<?xml version="1.0"\n?>\n<!DOCTYPE rss\n[ <!ELEMENT rss ANY> ]>\n'
    feed = parse(rss("<item>\n<title>a & b</title></item>", head=head))
    assert feed.problems[0].startswith("line 7: a bare & or <")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \r\n\0", "empty", id="white space"),
        pytest.param(b"<!doctype html><title>Log  in</title>", "HTML page", id="a page"),
        pytest.param(b"<html><title>Log &amp; in</title>", "“Log & in”", id="a page's title"),
        pytest.param(b"<!-- x --><HTML>", "HTML page", id="a page in capitals"),
        pytest.param(b"<opml version='2.0'/>", "OPML", id="a list of feeds"),
        pytest.param(b"<urlset/>", "sitemap", id="a sitemap"),
        pytest.param(b"<svg:svg/>", "<svg:svg>", id="other XML"),
        pytest.param(b"service unavailable", "'service unavailable'", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\xff", "no markup", id="a picture"),
        pytest.param(b"<?xml version='1.0'?>", "no element", id="only a declaration"),
        pytest.param(b"<!DOCTYPE rss [<rss/>", "DOCTYPE can't be read", id="an open DOCTYPE"),
        pytest.param(b"<x><channel></x", "no rss, feed", id="pieces of a feed"),
        pytest.param(
            rss("", head="<!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>"),
            "entity made of entities (b)",
            id="an entity bomb",
        ),
    ],
)
def test_what_is_no_feed_is_told_by_what_came(body: bytes, said: str) -> None:
    with pytest.raises(NotAFeed) as caught:
        parse(body)
    assert said in caught.value.detail


def test_a_feed_inside_a_page_is_read() -> None:
    page = "<!DOCTYPE html><html><body>"
    body = page.encode() + rss("<item><title>t</title></item>") + b"</body></html>"
    assert title(body) == "t"
    assert parse(body).problems == ("the feed stands within an HTML page",)


def test_a_long_entity_is_not_kept() -> None:
    head = f'<!DOCTYPE rss [<!ENTITY long "{"x" * 101}"><!ENTITY short "y">]>'
    document = decode.document(rss("", head=head), "")
    assert b"short" in document.xml
    assert b"xxx" not in document.xml
    assert document.problems == ("declares external or long XML entities; they are not used",)


def test_a_file_named_by_an_entity_is_never_read() -> None:
    head = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    assert title(rss("<item><title>&x;</title></item>", head=head)) == "&x;"
