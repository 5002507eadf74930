import re

import pytest
import webencodings.labels
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import decode, encodings
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
        pytest.param(
            rss(LATIN_ITEM).decode().encode("latin-1"),
            "text/xml;Charset = 'latin1' ; x=y, text/xml",
            id="the charset parameter in an odd form",
        ),
        pytest.param(rss(LATIN_ITEM), "", id="without any it is UTF-8"),
        pytest.param(rss(LATIN_ITEM), "text/xml", id="text/xml too is UTF-8 (RFC 7303)"),
        pytest.param(
            b"\xef\xbb\xbf" + declared("iso-8859-1").encode(),
            "text/xml; charset=iso-8859-1",
            id="a byte order mark counts before both",
        ),
        pytest.param(declared("utf-16").encode("utf-16"), "", id="UTF-16 with its byte order mark"),
        pytest.param(declared("utf-16").encode("utf-16-le"), "", id="UTF-16 without a mark"),
        pytest.param(b"\xef\xbb\xbf" * 2 + rss(LATIN_ITEM), "", id="a mark that came twice"),
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


def test_bad_bytes_after_a_byte_order_mark_are_replaced() -> None:
    body = b"\xef\xbb\xbf" + rss("<item><title>a!b</title></item>").replace(b"!", b"\xff")
    assert title(body) == "a\ufffdb"
    assert parse(body).problems == ("bytes that are no UTF-8 were replaced by \ufffd",)


RUSSIAN = "Причал открыт"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("koi8-u", "ўЎ і Причал"),
        ("iso-8859-8-i", "נמל"),
        ("windows-1255", "נמל"),
        ("windows-874", "ท่าเรือ"),
        ("x-mac-cyrillic", RUSSIAN),
        ("Shift_JIS", "港①㈱～ﾐﾅﾄ纊"),
        ("x-sjis", "港①㈱"),
        ("EUC-JP", "港①～ﾐﾅﾄ丂"),
        ("iso-2022-jp", "港①ﾐﾅﾄ"),
        ("ks_c_5601-1987", "똠방각하"),
        ("euc-kr", "펲시 항구"),
        ("big5", "碼頭嘅 㗎"),
        ("gb2312", "碼頭 镕"),
        ("gbk", "€ 镕"),
        ("cp936", "镕"),
        ("gb18030", "㐀𠀀"),
        ("hz-gb-2312", "港口"),
        ("iso-8859-1", "“Zoë” €"),
        ("us-ascii", "“Zoë” €"),
    ],
)
def test_labels_mean_the_encodings_of_browsers(encoding: str, text: str) -> None:
    codecs = {
        "koi8-u": {"ў": b"\xae", "Ў": b"\xbe"},
        "EUC-JP": {"①": b"\xad\xa1", "～": b"\xa1\xc1", "丂": b"\x8f\xb0\xa1"},
        "iso-2022-jp": {"①": b"\x1b$B-!\x1b(B", "ﾐﾅﾄ": b"\x1b(IPED\x1b(B"},
        "gbk": {"€": b"\x80"},
    }.get(encoding, {})
    python = {
        "iso-8859-8-i": "iso8859-8", "windows-874": "cp874", "x-mac-cyrillic": "mac-cyrillic",
        "Shift_JIS": "cp932", "x-sjis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
        "big5": "big5hkscs", "gb2312": "gbk", "hz-gb-2312": "hz", "iso-8859-1": "cp1252",
        "us-ascii": "cp1252",
    }.get(encoding, encoding)  # fmt: skip
    parts = re.split(f"({'|'.join(codecs)})", text) if codecs else [text]
    sent = b"".join(codecs.get(part) or part.encode(python) for part in parts)
    head, tail = declared(encoding, "<item><title>|</title></item>").encode().split(b"|")
    assert title(head + sent + tail) == text


@pytest.mark.parametrize("charset", ["", "utf-8", "iso-8859-1", "windows-1251", "shift_jis"])
def test_one_bad_byte_is_one_replacement_and_the_rest_stays_utf8(charset: str) -> None:
    body = rss("<item><title>pier’s caf! — Zoë</title></item>").replace(b"!", b"\xc3")
    assert title(body, f"text/xml; charset={charset}") == "pier’s caf\ufffd — Zoë"


def test_a_cut_character_is_one_replacement() -> None:
    body = rss("<item><title>a!b</title></item>").replace(b"!", b"\xe2\x80")
    assert title(body) == "a\ufffdb"
    assert title(body.replace(b"b<", b"b\xc3<")) == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        pytest.param(b"caf\xe9", "caf\ufffd", id="one"),
        pytest.param(b"caf\xe9 cr\xe8me", "café crème", id="two"),
        pytest.param(b"caf\xe9 cr\xe8me \xc3\xab", "caf\ufffd cr\ufffdme ë", id="two beside UTF-8"),
    ],
)
def test_several_bad_bytes_and_no_utf8_are_windows_1252(sent: bytes, text: str) -> None:
    assert title(rss("<item><title>!</title></item>").replace(b"!", sent)) == text


def test_an_emoji_in_two_surrogates_is_one_character() -> None:
    body = rss("<item><title>a!b</title></item>")
    assert title(body.replace(b"!", b"\xed\xa0\xbd\xed\xb8\x80")) == "a😀b"
    assert title(body.replace(b"!", b"\xc3\xab\xed\xa0\xbd")) == "aë\ufffd\ufffd\ufffdb"


@pytest.mark.parametrize(
    ("encoding", "sent", "text"),
    [
        ("shift_jis", b"\x8d`\xff\x8d`", "港\ufffd港"),
        ("euc-jp", b"\xb9\xc1\xff\xb9\xc1", "港\ufffd港"),
        ("euc-kr", b"\xc7\xd7\xff\xb1\xb8", "항\ufffd구"),
        ("big5", b"\xb4\xe4\xff\xb4\xe4", "港\ufffd港"),
        ("gb2312", b"\xb8\xdb\xff!\xb8\xdb", "港\ufffd!港"),
        ("euc-kr", b"\xc7\xd7\xfe\xfe\xb1\xb8", "항\ufffd구"),
        ("euc-jp", b"\xb9\xc1\xb9</title>", "港\ufffd"),
        ("euc-jp", b"\x8f\xfe\xfe\xb9\xc1", "\ufffd港"),
        ("windows-1253", b"\xd2", "\ufffd"),
    ],
)
def test_bad_bytes_of_other_encodings_remove_no_text(encoding: str, sent: bytes, text: str) -> None:
    closed = sent if b"</title>" in sent else sent + b"</title>"
    head = declared(encoding, "<item><title>|").encode().split(b"|")[0]
    assert title(head + closed + b"</item></channel></rss>") == text


def test_a_bad_byte_in_a_new_item_changes_no_other_item() -> None:
    old = "<item><title>It’s late — very</title></item>"
    new = rss(f"<item><title>caf!</title></item>{old}").replace(b"!", b"\xc3")
    assert parse(new).entries[1] == parse(rss(old)).entries[0]


def test_a_wrong_utf8_declaration_gives_way_to_the_other_declaration() -> None:
    body = declared("windows-1251", f"<item><title>{RUSSIAN}</title></item>").encode("cp1251")
    assert title(body, "text/xml; charset=utf-8") == RUSSIAN
    assert parse(body, "text/xml; charset=utf-8").problems == (
        "declared as utf-8, but is not; read as windows-1251",
    )


@pytest.mark.parametrize(
    "noise",
    [
        "\n\n<!-- cached -->\n",
        "\n\ufeff",
        "<br />\n<b>Warning</b>: Undefined key in <b>/srv/f.php</b> on line <b>12</b><br />\n",
        "x" * 5000,
    ],
)
def test_a_declaration_behind_noise_counts(noise: str) -> None:
    body = declared("windows-1251", f"<item><title>{RUSSIAN}</title></item>").encode("cp1251")
    assert title(noise.encode() + body) == RUSSIAN


def test_a_declaration_inside_the_feed_does_not_count() -> None:
    code = "<item><title>Zoë</title><description>&lt;?xml encoding='koi8-r'?></description></item>"
    assert title(rss(code).replace(b"&lt;", b"<")) == "Zoë"
    assert title(rss(code).replace(b"&lt;", b"<").replace(b"\xc3\xab", b"\xc3")) == "Zo\ufffd"


def test_a_document_wrongly_declared_as_utf16_is_utf8() -> None:
    assert title(declared("utf-16", ITEM).encode(), "text/xml; charset=utf-16") == "Zoë à Łódź"


def test_xml_1_1_is_read_as_1_0() -> None:
    assert title(rss("<item><title>a&#1;b</title></item>", head="<?xml version='1.1'?>")) == "ab"


def test_seven_bit_encodings_are_not_read_as_utf8() -> None:
    body = declared("iso-2022-jp", "<item><title>東京</title></item>").encode("iso-2022-jp")
    assert title(body) == "東京"


def test_gb2312_is_read_as_its_superset() -> None:
    body = declared("gb2312", "<item><title>镕</title></item>").encode("gb18030")
    assert title(body) == "镕"


def test_a_wrong_charset_is_a_problem() -> None:
    feed = parse(rss(ITEM), "application/rss+xml; charset=us-ascii")
    assert feed.problems == ("declared as windows-1252, but is UTF-8; read as UTF-8",)


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
        pytest.param("it&#146;s &#x80;", "it’s €", id="references to Windows-1252 are meant so"),
        pytest.param("a&#129;b", "ab", id="references to no character of it are taken out"),
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
def test_prologs_that_are_skipped(head: str) -> None:
    body = rss("<item><title>caf&eacute;</title></item>", head=head)
    assert title(body) == "café"


def test_line_numbers_stay_true() -> None:
    head = '\n<?xml version="1.0"\n?>\n<!DOCTYPE rss\n[ <!ELEMENT rss ANY> ]>\n'
    feed = parse(rss("<item>\n<title>a & b</title></item>", head=head))
    assert feed.problems[0].startswith("line 7: a bare & or <")


@pytest.mark.parametrize(
    ("body", "detail"),
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
def test_the_error_names_the_kind_of_document(body: bytes, detail: str) -> None:
    with pytest.raises(NotAFeed) as caught:
        parse(body)
    assert detail in caught.value.detail


def test_a_feed_inside_a_page_is_read() -> None:
    page = "<!DOCTYPE html><html><body>"
    body = page.encode() + rss("<item><title>t</title></item>") + b"</body></html>"
    assert title(body) == "t"
    assert parse(body).problems == ("the feed is inside an HTML page",)


def test_a_long_entity_is_not_kept() -> None:
    head = f'<!DOCTYPE rss [<!ENTITY long "{"x" * 101}"><!ENTITY short "y">]>'
    document = decode.document(rss("", head=head), "")
    assert b"short" in document.xml
    assert b"xxx" not in document.xml
    assert document.problems == ("declares external or long XML entities; they are not used",)


def test_a_file_named_by_an_entity_is_never_read() -> None:
    head = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    assert title(rss("<item><title>&x;</title></item>", head=head)) == "&x;"


@pytest.mark.parametrize(("faults", "text"), [(0, "①"), (1, "\ufffd")])
def test_a_document_of_faults_is_decoded_without_vendor_rows(faults: int, text: str) -> None:
    # Python finds two faults in a vendor character.
    body = b"\xad\xa1" + b"\xff" * (encodings.MOST_FAULTS - 2 + faults)
    assert encodings.to_utf8(body, "text/xml; charset=euc-jp", []).decode().startswith(text)


LABELS = sorted(webencodings.labels.LABELS)


@given(st.binary(max_size=60), st.sampled_from(LABELS))
def test_any_bytes_of_any_encoding_become_utf8(body: bytes, label: str) -> None:
    problems: list[str] = []
    text = encodings.to_utf8(body, f"text/xml; charset={label}", problems).decode()
    if "\ufffd" in text and "\ufffd".encode() not in body:
        assert problems


@given(st.text(st.characters(categories=["L", "N", "P", "Z"]), max_size=40))
def test_utf8_is_utf8_under_every_label(text: str) -> None:
    body = f"<rss>{text}é</rss>".encode()
    for label in LABELS:
        assert encodings.to_utf8(body, f"text/xml; charset={label}", []) == body


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        pytest.param("T\xfcr \x96 \x93x\x94".encode("latin-1"), "Tür – “x”", id="several faults"),
        pytest.param(b"T\xfcr", "T\N{REPLACEMENT CHARACTER}r", id="a single fault"),
        pytest.param(
            "Tür – ".encode() + b"\x93x\x94",
            "Tür – \N{REPLACEMENT CHARACTER}x\N{REPLACEMENT CHARACTER}",
            id="faults beside characters",
        ),
        pytest.param(
            b"a\xe2\x80 b\xe2\x80",
            "a\N{REPLACEMENT CHARACTER} b\N{REPLACEMENT CHARACTER}",
            id="cut characters",
        ),
    ],
)
def test_a_text_pasted_into_a_utf8_document(pasted: bytes, expected: str) -> None:
    item = "<item><title>{}</title></item>"
    body = rss(item.format("Café “pier”") + item.format("PASTED"), head="")
    entries = parse(body.replace(b"PASTED", pasted)).entries
    titles = [entry.title.value for entry in entries if entry.title]
    assert titles == ["Café “pier”", expected]
