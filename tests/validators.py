"""Strict validators of our output; each returns a list of problems, empty if valid.

They are ours, made from the text of the specifications, and share no code with `formats`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.parsers import expat

import jsonschema
from lxml import etree, html

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
FH = "{http://purl.org/syndication/history/1.0}"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
MEDIA = "{http://search.yahoo.com/mrss/}"

_RELAX_NG = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9;/?:@&=+$._!~*'(),#%\[\]-])+")
"""RFC 3986, but for a percent sign alone: RSS has no IRIs."""
_ITUNES = {
    "duration": r"\d+|\d+(:[0-5]?\d){1,2}",
    "episode": r"[1-9]\d*",
    "episodeType": "full|trailer|bonus",
    "explicit": "true|false",
    "season": r"[1-9]\d*",
}
"""Values of Apple's elements for podcasts."""
_OPML_HEAD = {"title", "dateCreated", "dateModified", "ownerName", "ownerEmail", "ownerId"}
"""The elements that the validator of the W3C knows, too."""
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_HTML_URLS = {"action", "background", "cite", "data", "formaction", "href", "poster", "src"}
_XML_URLS = {"href", "htmlUrl", "img", "src", "url", "xmlUrl"}


def atom(body: bytes) -> list[str]:
    """Check a document against RFC 4287, RFC 5005 and RFC 6721."""
    problems = _xml(body)
    if problems:
        return problems
    root = etree.fromstring(body)
    if not _RELAX_NG.validate(root):
        problems += [f"RelaxNG: {error}" for error in _RELAX_NG.error_log]
    entries = root.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id", "") for entry in entries]
    problems += _twice("entry id", ids)
    stones = [stone.get("ref", "") for stone in root if "deleted-entry" in str(stone.tag)]
    problems += _twice("id of an entry or tombstone", [*set(ids), *stones])
    if root.find(f"{ATOM}author") is None:
        problems += [
            f"neither the feed nor {name} has an author (§4.1.1)"
            for name, entry in zip(ids, entries, strict=True)
            if entry.find(f"{ATOM}author") is None
        ]
    if len(_links(root, "self")) != 1:
        problems.append("not exactly one rel=self (§4.1.1)")
    for element in (root, *root.iter(f"{ATOM}source"), *entries):
        problems += _twice(
            "alternate link of a type and language (§4.1.1)",
            [(link.get("type"), link.get("hreflang")) for link in _links(element, "alternate")],
        )
    for name, entry in zip(ids, entries, strict=True):
        problems += [f"{name}: {problem}" for problem in _atom_entry(entry)]
    return problems + list(
        _history(root, [link.get("rel", "") for link in root.iter(f"{ATOM}link")])
    )


def _atom_entry(entry: etree._Element) -> Iterator[str]:
    if entry.find(f"{ATOM}content") is None and not _links(entry, "alternate"):
        yield "neither content nor an alternate link (§4.1.2)"
    if entry.findtext(f"{ATOM}updated", "") < entry.findtext(f"{ATOM}published", ""):
        yield "updated before it was published"
    if _links(entry, "self"):
        yield "the publisher's rel=self was taken over"
    if entry.find(f"{ATOM}source") is None:
        yield "no atom:source"
    for element in (*entry.iter(f"{ATOM}content"), *entry.iter(f"{ATOM}summary")):
        if element.get("type") == "html":
            yield from _fragment(element.text or "")


def _links(element: etree._Element, rel: str) -> list[etree._Element]:
    return [link for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == rel]


def _history(feed: etree._Element, rels: list[str]) -> Iterator[str]:
    """Check the elements of RFC 5005 that exclude each other."""
    archive, complete = feed.find(f"{FH}archive"), feed.find(f"{FH}complete")
    if archive is not None and complete is not None:
        yield "both an archive and complete"
    if archive is not None and "current" not in rels:
        yield "an archive without rel=current (§4)"
    if complete is not None and "prev-archive" in rels:
        yield "complete, yet with an archive before it"


def rss(body: bytes) -> list[str]:
    """Check a document against RSS 2.0 and the RSS Advisory Board's Best Practices Profile."""
    problems = _xml(body)
    if problems:
        return problems
    root = etree.fromstring(body)
    channel = root.find("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or channel is None or len(root) != 1:
        return ["not one channel in an rss element of version 2.0"]
    problems += _rss_urls(channel)
    for name in ("title", "link", "description"):
        if not channel.findtext(name):
            problems.append(f"the channel has no {name}")
    problems += _twice("element of the channel", [c.tag for c in channel if _single(c.tag)])
    for date in (*channel.iter("pubDate"), *channel.iter("lastBuildDate")):
        if not _is_rfc822(date.text or ""):
            problems.append(
                f"{date.tag!r} {date.text!r} is not of RFC 822 with four digits and GMT"
            )
    if len(_links(channel, "self")) != 1:
        problems.append("not exactly one atom:link rel=self")
    if not re.fullmatch(r"\d+", channel.findtext("ttl", "0")):
        problems.append("ttl is no number of minutes")
    items = channel.findall("item")
    problems += _twice("guid", [item.findtext("guid", "") for item in items])
    for item in items:
        problems += [f"{item.findtext('guid')}: {problem}" for problem in _rss_item(item)]
    return problems + list(_history(channel, [i.get("rel", "") for i in root.iter(f"{ATOM}link")]))


def _rss_urls(channel: etree._Element) -> Iterator[str]:
    urls = [(each.tag, each.text or "") for each in channel.iter("link", "comments", "url")]
    urls += [(each.tag, each.get("url", "")) for each in channel.iter("enclosure", "source")]
    return (f"not a URI: {tag!r} {url!r}" for tag, url in urls if not _URI.fullmatch(url))


def _single(tag: object) -> bool:
    many = {"item", "category", f"{ATOM}link", "{http://purl.org/dc/elements/1.1/}creator"}
    return isinstance(tag, str) and tag not in many and not tag.startswith(MEDIA)


def _rss_item(item: etree._Element) -> Iterator[str]:
    yield from _twice("element", [c.tag for c in item if _single(c.tag) and "}" not in str(c.tag)])
    if not item.findtext("title") and not item.findtext("description"):
        yield "neither title nor description"
    guid = item.find("guid")
    if guid is None or not guid.text:
        yield "no guid"
    elif guid.get("isPermaLink") != "false" and guid.text != item.findtext("link"):
        yield "a permalink guid that is not the link"
    source = item.find("source")
    if source is None or not source.get("url") or not source.text:
        yield "no source with url and title"
    for enclosure in item.findall("enclosure"):
        if not re.fullmatch(r"\d+", enclosure.get("length", "")):
            yield "an enclosure without a length"
        if not re.fullmatch(r"[^\s/]+/[^\s/]+", enclosure.get("type", "")):
            yield "an enclosure without a media type"
        if not enclosure.get("url"):
            yield "an enclosure without url"
    if item.find("author") is not None:
        yield "author is for e-mail addresses; use dc:creator"
    yield from _fragment(item.findtext("description", ""))
    yield from _fragment(item.findtext(f"{CONTENT}encoded", ""))


def _is_rfc822(text: str) -> bool:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return False
    return text.endswith(" GMT") and format_datetime(when, usegmt=True) == text


def json_feed(body: bytes) -> list[str]:
    """Check a document against JSON Feed 1.1."""
    text = body.decode()
    feed = json.loads(text, object_pairs_hook=_no_key_twice)
    validator = jsonschema.Draft202012Validator(_JSON_FEED)
    problems = [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(feed)]
    if problems:
        return problems
    problems += _twice("item id", [item["id"] for item in feed["items"]])
    if feed.get("next_url") == feed.get("feed_url"):
        problems.append("next_url is feed_url")
    problems += [f"an illegal character: {found!r}" for found in _ILLEGAL.findall(text)]
    problems += [f"a relative URL: {url!r}" for url in _json_urls(feed) if not _absolute(url)]
    for item in feed["items"]:
        problems += _fragment(item.get("content_html", ""))
        if item["date_modified"] < item["date_published"]:
            problems.append(f"{item['id']}: modified before it was published")
    return problems


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key stands twice in an object: {keys}"
    return dict(pairs)


def _json_urls(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _json_urls(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _json_urls(member, key)
    elif isinstance(value, str) and (
        key.endswith("url") or key in {"icon", "favicon", "image", "banner_image", "page"}
    ):
        yield value


_TEXT = {"type": "string"}
_FILLED = {"type": "string", "minLength": 1}
_DATE = {"type": "string", "pattern": f"^{_RFC3339.pattern}$"}
_SIZE = {"type": "integer", "minimum": 0}
_TAG = {"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"}


def _object(required: Iterable[str] = (), **members: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": [*required],
        "properties": members,
        "patternProperties": {"^_[A-Za-z]": {"type": "object"}},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _list(of: object) -> dict[str, object]:
    return {"type": "array", "items": of}


_AUTHOR = _object(name=_FILLED, url=_FILLED, avatar=_FILLED)
_ITEM = _object(
    ("id", "date_published", "date_modified"),  # the dates are our own rule
    id=_FILLED,
    url=_FILLED,
    external_url=_FILLED,
    title=_TEXT,
    content_html=_TEXT,
    content_text=_TEXT,
    summary=_TEXT,
    image=_FILLED,
    banner_image=_FILLED,
    date_published=_DATE,
    date_modified=_DATE,
    authors=_list(_AUTHOR),
    tags=_list(_FILLED),
    language=_TAG,
    attachments=_list(
        _object(
            ("url", "mime_type"),
            url=_FILLED,
            mime_type={"type": "string", "pattern": r"^[^\s/]+/[^\s/]+$"},
            title=_FILLED,
            size_in_bytes=_SIZE,
            duration_in_seconds=_SIZE,
        )
    ),
) | {"anyOf": [{"required": ["content_html"]}, {"required": ["content_text"]}]}
_JSON_FEED = _object(
    ("version", "title", "items"),
    version={"const": "https://jsonfeed.org/version/1.1"},
    title=_TEXT,
    home_page_url=_FILLED,
    feed_url=_FILLED,
    description=_TEXT,
    user_comment=_TEXT,
    next_url=_FILLED,
    icon=_FILLED,
    favicon=_FILLED,
    authors=_list(_AUTHOR),
    language=_TAG,
    expired={"type": "boolean"},
    hubs=_list(_object(("type", "url"), type=_FILLED, url=_FILLED)),
    items=_list(_ITEM),
)


def opml(body: bytes) -> list[str]:
    """Check a document against OPML 2.0."""
    problems = _xml(body)
    if problems:
        return problems
    root = etree.fromstring(body)
    if root.tag != "opml" or root.get("version") != "2.0":
        return ["not an opml element of version 2.0"]
    if [child.tag for child in root] != ["head", "body"]:
        return ["not one head and one body"]
    problems += [
        f"unknown in head: {child.tag!r}" for child in root[0] if child.tag not in _OPML_HEAD
    ]
    outlines = list(root[1].iter("outline"))
    if not outlines:
        problems.append("no outline")
    for outline in outlines:
        if outline.get("text") is None:
            problems.append("an outline without text")
        if outline.get("type") == "rss" and not outline.get("xmlUrl"):
            problems.append("a feed without xmlUrl")
    problems += [
        f"{date.tag!r} {date.text!r} is no RFC 822 date"
        for date in root[0]
        if str(date.tag).startswith("date") and not _is_rfc822(date.text or "")
    ]
    return problems


def _xml(body: bytes) -> list[str]:
    """Check any XML document: two parsers, legal characters, absolute URLs."""
    try:
        expat.ParserCreate().Parse(body, True)
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
        text = body.decode()
    except (expat.ExpatError, etree.XMLSyntaxError, UnicodeDecodeError) as error:
        return [f"not well-formed: {error}"]
    problems = [f"an illegal character: {found!r}" for found in _ILLEGAL.findall(text)]
    for element in root.iter("*"):
        problems += [
            f"a relative URL: {element.tag!r} {key!r}={value!r}"
            for key, value in element.attrib.items()
            if key in _XML_URLS and not _absolute(str(value))
        ]
        name = str(element.tag).removeprefix(ITUNES)
        if name in _ITUNES and not re.fullmatch(_ITUNES[name], element.text or ""):
            problems.append(f"itunes:{name} {element.text!r} is not valid")
    return problems


def _fragment(text: str) -> Iterator[str]:
    """Check an HTML fragment: no URL that would need a base, nothing active."""
    if "<" not in text:
        return
    fragment = html.fragment_fromstring(text, create_parent="div")
    targets = {f"#{element.get('id')}" for element in fragment.iter("*")}
    for element in fragment.iter("*"):
        if element.tag in {"script", "iframe", "object", "embed", "style", "form"}:
            yield f"active content: {element.tag!r}"
        for key, value in element.attrib.items():
            if str(key).startswith("on"):
                yield f"active content: {key!r}"
            if key in _HTML_URLS and not _absolute(str(value)) and value not in targets:
                yield f"a relative URL in HTML: {key!r}={value!r}"


def _absolute(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        return bool(parts.netloc)
    return parts.scheme in {"mailto", "tel", "urn", "tag"} and bool(parts.path)


def _twice(what: str, values: Iterable[object]) -> list[str]:
    return [f"{what} stands twice: {value!r}" for value, n in Counter(values).items() if n > 1]
