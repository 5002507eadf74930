"""OPML 2.0: writes the list of sources, and reads lists that other feed readers exported.

An imported file is untrusted. DTDs, and so entities, are refused; nothing that the file names is
opened; an address that is not http or https (some readers run `exec:` and `|command`) is reported
and not imported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from lxml import etree

from aggregator.errors import AggregatorError
from aggregator.formats.xml import element, empty, encode, quote

TYPE = "text/x-opml"

MAX_BYTES = 10_000_000
MAX_DEPTH = 50
MAX_OUTLINES = 20_000

_FEED_TYPES = {"rss", "atom", "rdf", "feed", "json", "jsonfeed", ""}


class NotOpml(AggregatorError):
    """The file can't be imported as OPML; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A source, or a folder of them.

    Args:
        text: The displayed name.
        url: Of the feed, "" for a folder.
        link: Of the publisher's site.
        categories: Names, or slash-separated paths of names; of a folder, the id of its section.
    """

    text: str
    url: str = ""
    link: str = ""
    description: str = ""
    language: str = ""
    categories: tuple[str, ...] = ()
    children: "tuple[Outline, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An outline that can't be imported, and the reason."""

    text: str
    url: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlDocument:
    """The contents of a file, in its order."""

    title: str = ""
    outlines: tuple[Outline, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def sources(
    outlines: tuple[Outline, ...], folders: tuple[Outline, ...] = ()
) -> Iterator[tuple[tuple[Outline, ...], Outline]]:
    """Yield each source with its folders, outermost first."""
    for outline in outlines:
        if outline.url:
            yield folders, outline
        yield from sources(outline.children, (*folders, outline))


# --- out -------------------------------------------------------------------------------------


def render(outlines: tuple[Outline, ...], *, title: str, modified: datetime | None = None) -> bytes:
    """Return the outlines as an OPML document in UTF-8; `modified` is the newest change."""
    changed = element("dateModified", format_datetime(modified, usegmt=True)) if modified else ""
    body = "".join(_write(outline) for outline in outlines) or '<outline text=""/>\n'
    return encode(
        (
            '<?xml version="1.0" encoding="utf-8"?>\n<opml version="2.0">\n<head>\n',
            element("title", title),
            changed,
            "</head>\n",
            f"<body>\n{body}</body>\n</opml>\n",
        )
    )


def _write(outline: Outline) -> str:
    title = outline.text or outline.url
    if outline.url:
        tag = empty(
            "outline",
            ("type", "rss"),
            ("text", title),
            ("title", title),
            ("xmlUrl", outline.url),
            ("htmlUrl", outline.link),
            ("description", outline.description),
            ("language", outline.language),
            ("category", _category(outline)),
        )
    else:
        category = f" category={quote(_category(outline))}" if outline.categories else ""
        tag = f"<outline text={quote(title)}{category}/>\n"
    if not outline.children:
        return tag
    inner = "".join(_write(child) for child in outline.children)
    return f"{tag[:-3]}>\n{inner}</outline>\n"


def _category(outline: Outline) -> str:
    return ",".join(name.replace(",", " ") for name in outline.categories)


# --- in --------------------------------------------------------------------------------------


def parse(body: bytes) -> OpmlDocument:
    """Parse an OPML file.

    Raises:
        NotOpml: It is not well-formed, not OPML, has a DTD or exceeds a limit of this module.
    """
    if len(body) > MAX_BYTES:
        message = f"the file has {len(body)} bytes; the limit is {MAX_BYTES}"
        raise NotOpml(message)
    reader = _Reader()
    parser = etree.XMLParser(  # type: ignore[call-overload]  # the stub requires optional methods
        target=reader, resolve_entities="internal", no_network=True, load_dtd=False
    )
    try:
        parser.feed(body.lstrip(b" \t\r\n"))
        return parser.close()  # type: ignore[no-any-return]  # what _Reader.close() returns
    except etree.XMLSyntaxError as error:
        message = f"{error.msg}. Only well-formed XML can be imported"
        raise NotOpml(message) from error


@dataclass(slots=True, kw_only=True)
class _Folder:
    """An outline that is still open; the file itself has no outline."""

    outline: Outline | None
    children: list[Outline] = field(default_factory=list)


class _Reader:
    """Receives lxml's parse events: a file over a limit is refused before it is in memory."""

    def __init__(self) -> None:
        self.title = ""
        self.rejected: list[Rejected] = []
        self.open: list[_Folder] = [_Folder(outline=None)]
        self.path: list[str] = []
        self.count = 0

    def doctype(self, name: str, public: str, system: str) -> None:
        raise NotOpml("the file has a DOCTYPE. Remove it: OPML needs none")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.lower()
        if not self.path and name != "opml":
            message = f"the document is <{tag}>, not <opml>. Export OPML from the other reader"
            raise NotOpml(message)
        self.path.append(name)
        if name == "outline":
            self._outline({key.lower(): value.strip() for key, value in attributes.items()})

    def _outline(self, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_OUTLINES:
            message = f"the file has more than {MAX_OUTLINES} outlines. Split it"
            raise NotOpml(message)
        if len(self.open) > MAX_DEPTH:
            message = f"outlines are nested more than {MAX_DEPTH} deep. Move some up"
            raise NotOpml(message)
        outline = _read(attributes)
        if isinstance(outline, Rejected):
            self.rejected.append(outline)
            outline = Outline(text=outline.text)
        self.open.append(_Folder(outline=outline))

    def data(self, text: str) -> None:
        if self.path[-2:] == ["head", "title"]:
            self.title += text

    def end(self, tag: str) -> None:
        if self.path.pop() != "outline":
            return
        folder = self.open.pop()
        outline = folder.outline
        if outline and folder.children:
            outline = replace(outline, children=tuple(folder.children))
        if outline and (outline.url or outline.children):
            self.open[-1].children.append(outline)

    def close(self) -> OpmlDocument:
        return OpmlDocument(
            title=self.title.strip(),
            outlines=tuple(self.open[0].children),
            rejected=tuple(self.rejected),
        )


def _read(attributes: dict[str, str]) -> Outline | Rejected:
    """Return the outline of some attributes, whose names are in lower case."""
    text = attributes.get("text") or attributes.get("title", "")
    kind = attributes.get("type", "").lower()
    url = mended_url(attributes.get("xmlurl") or attributes.get("url", ""))
    categories = tuple(
        name.strip() for name in attributes.get("category", "").split(",") if name.strip()
    )
    if not url:
        return Outline(text=text, categories=categories)
    if attributes.get("iscomment", "").lower() == "true":
        return Rejected(text=text, url=url, reason="commented out (isComment)")
    is_scraped = "+" in kind  # FreshRSS: HTML+XPath, JSON+DotNotation
    if is_scraped or (kind not in _FEED_TYPES and not attributes.get("xmlurl")):
        return Rejected(text=text, url=url, reason=f"outlines of type {kind} are not supported")
    reason = reason_to_refuse(url)
    if reason:
        return Rejected(text=text, url=url, reason=reason)
    return Outline(
        text=text or url,
        url=url,
        link=attributes["htmlurl"] if not reason_to_refuse(attributes.get("htmlurl", "")) else "",
        description=attributes.get("description", ""),
        language=attributes.get("language", ""),
        categories=categories,
    )


def mended_url(url: str) -> str:
    """Return an address without `feed:` before it, and with its spaces encoded."""
    scheme, colon, rest = url.partition(":")
    if colon and scheme.lower() == "feed":  # feed://host/path or feed:https://host/path
        url = f"http:{rest}" if rest.startswith("//") else rest
    return url.replace(" ", "%20") if "://" in url[:8] else url


def reason_to_refuse(url: str) -> str:
    """Return why an address can't be polled, "" when it can."""
    if re.search(r"[\x00-\x20\x7f\\]", url):
        return "the address contains a space, a backslash or a control character"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        return f"the address is invalid: {error}"
    if parts.scheme not in ("http", "https"):
        return "only http and https addresses are polled"
    return "" if host else "the address has no host"
