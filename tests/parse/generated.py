"""Generated documents: every element that the readers know, and some that they do not, in any
place, order and nesting, with attributes and texts that have been read wrongly before.
"""

from hypothesis import strategies as st

from aggregator.models.extensions import ELEMENTS
from tests.parse import NAMESPACES

XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'

UNKNOWN = [
    *["a", "abstract", "body", "channel", "date", "expirationdate", "fullitem", "href", "icon"],
    *["info", "links", "logo", "name", "newlocation", "rss", "tags", "url", "uri", "width"],
    *["x:y", "x:title", "dc:publisher", "dc:x", "itunes:email", "itunes:name", "itunes:link"],
    *["media:x", "podcast:person", "sy:x", "thr:in-reply-to", "a:link", "a:title"],
]
KNOWN = [
    *["author", "category", "comments", "content", "content:encoded", "contributor", "copyright"],
    *["dc:creator", "dc:date", "dc:description", "dc:language", "dc:subject", "dc:title"],
    *["description", "enclosure", "feedburner:origLink", "guid", "id", "image", "itunes:author"],
    *["itunes:image", "itunes:keywords", "itunes:owner", "itunes:subtitle", "itunes:summary"],
    *["language", "lastBuildDate", "link", "managingEditor", "media:content", "media:description"],
    *["media:group", "media:keywords", "media:thumbnail", "media:title", "pubDate", "published"],
    *["rights", "source", "subtitle", "summary", "sy:updatePeriod", "textInput", "title", "ttl"],
    *["updated", *ELEMENTS],
]
NAMES = [*KNOWN * 4, *UNKNOWN, "entry", "item"]

HOLDERS = [
    *["author", "contributor", "itunes:owner", "source", "image", "textInput", "category"],
    *["media:group", "media:content", "x:y", "content", "title", "link"],
]
"""Elements within which others mean something else, or nothing."""

ATTRIBUTES = [
    "",
    *["type='html'", "type='text'", "type='xhtml'", "type='text/html'", "type='image/png'"],
    *["href='h'", "href=''", "url='u/'", "uri='v'", "href='http://e.org/?' rel='Self'"],
    *["rel='alternate'", "rel='enclosure' href='e.mp3'", "rel='via' href='v' type='TEXT/PLAIN'"],
    *["term='t'", "term='t' label='l'", "domain='d'", "scheme='s'", "text='x'"],
    *["isPermaLink='false'", "isPermaLink='true'", "xml:lang='fr'", "xml:lang=''", "lang='en_US'"],
    *["xml:base='b/'", "xml:base='http://b.org/c'", "base='../'", "xml:base='javascript:x'"],
    *["x:href='h'", "x:a='b'", "mode='xml'", "version='2.0'", "lastmod='2001'", "REL='self'"],
    *["xmlns:dc='urn:x'", "xmlns:z='urn:x'", "xmlns:b='urn:b'", "xmlns='urn:x'", "xmlns=''"],
    "xmlns='http://www.w3.org/1999/xhtml'",
]
TEXTS = [
    *["", " ", "t", " u\n", "http://e.org/1", "1?a=1&amp;b=2", "//e.org/x", "http://e.org/a?"],
    *["a@e.org (N)", "N &lt;a@e.org&gt;", "&amp;amp;", "&lt;b>b&lt;/b>", "&lt;x>x&lt;/x>"],
    *["Sat, 27 Jun 2009 21:26:00 GMT", "2009-06-27T21:26:00Z", "27/06/2009", "k, l,, k"],
    *["caf\xc3\xa9", "caf\xe9", "\x85", "\xa0", "\u2028x", "&#13;", "&#x85;", "https:///e.org/a"],
    *["<![CDATA[<p>c</p>]]>", "<!-- c -->d", "<?p x?>e", "60", "hourly", "5", "en_GB"],
    *[
        f"{XHTML}<b c='\"'>x</b> &amp; y</div>",
        f" {XHTML}a</div>{XHTML}b</div>",
        f"{XHTML}/</div> ",
    ],
]
MARKUP = ["<div>x</div>", "<p>q</p>r"]
ROOTS = [
    "",
    "",
    "",
    " xml:lang='de_AT'",
    " xml:base='http://r.org/d/e'",
    " xml:base='?'",
    " lang='x'",
]

attributes = st.sampled_from([*[""] * 3 * len(ATTRIBUTES), *ATTRIBUTES])
texts = st.lists(st.sampled_from([*TEXTS * 4, *MARKUP]), max_size=2).map("".join)


def _elements(names: list[str], inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.tuples(st.sampled_from(names), attributes, inside)
    return parts.map(lambda part: f"<{part[0]} {part[1]}>{part[2]}</{part[0]}>")


leaves = _elements(NAMES, texts)
_nested = _elements(HOLDERS, st.lists(st.one_of(leaves, texts), max_size=3).map("".join))
_parts = st.lists(st.one_of(leaves, leaves, leaves, _nested), max_size=4).map("".join)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """RSS or Atom, well-formed or nearly so."""
    is_atom = draw(st.booleans())
    name = "entry" if is_atom else "item"
    inside = draw(_parts)
    for part in draw(st.lists(st.tuples(attributes, _parts, _parts), max_size=3)):
        inside += f"<{name} {part[0]}>{part[1]}</{name}>{part[2]}"
    root = NAMESPACES.replace("xmlns:a=", "xmlns:x='urn:x' xmlns:a=") + draw(st.sampled_from(ROOTS))
    if is_atom:
        return f"<feed xmlns='http://www.w3.org/2005/Atom' {root}>{inside}</feed>".encode()
    return f"<rss version='2.0' {root}><channel>{inside}</channel></rss>".encode()
