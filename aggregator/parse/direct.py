"""Well-formed RSS 2.0 and Atom read straight from the element tree, in a seventh of the time.

What comes out are the dictionaries that feedparser would make, as far as `entries` reads them.
feedparser decides by the order and depth of elements, so this walks the tree in the order of
feedparser's events and keeps the state that feedparser keeps, but only over elements whose rules
stand here. At anything else it gives up, and feedparser reads the document. What is a function of
its own in feedparser is called there, not written again.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from feedparser.mixin import _FeedParserMixin
from feedparser.util import FeedParserDict
from lxml import etree

from aggregator.parse import names
from aggregator.parse.names import Names, Uncertain
from aggregator.parse.node import Node, mended

Values = dict[str, Any]

_ATOM = "{http://www.w3.org/2005/Atom}feed"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_CDF = frozenset({"href", "lastmod"})
_RSS_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_MEDIA_SCHEME = "http://search.yahoo.com/mrss/category_schema"
_ITUNES_SCHEME = "http://www.itunes.com/"
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = _HTML | {"text/plain"}
_QUERY_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")

_IN_A_PICTURE = frozenset({"height", "url", "width"})
_IN_A_FEEDS_PICTURE = _IN_A_PICTURE | {"description", "link", "title"}
_IN_A_TEXT_INPUT = frozenset({"description", "link", "name", "title"})
_IN_A_SOURCE = frozenset(
    {"author", "category", "contributor", "generator", "icon", "id", "link", "logo", "published",
     "rights", "subtitle", "title", "updated"}
)  # fmt: skip
_UNKEPT = frozenset({"icon", "link", "logo"})
_OF_A_PERSON = {
    "email": "email",
    "homepage": "href",
    "itunes_email": "email",
    "itunes_name": "name",
    "name": "name",
    "uri": "href",
    "url": "href",
}
# Keys that an unknown element of the same name would overwrite.
_TAKEN = frozenset(FeedParserDict.keymap) | {
    "author_detail", "authors", "contributors", "links", "published_parsed", "publisher_detail",
    "rights_detail", "subtitle_detail", "summary_detail", "title_detail", "updated_parsed",
}  # fmt: skip


def read(xml: bytes, root: etree._Element, base: str) -> Values | None:
    """Return what feedparser would of a document, or None when that is not certain.

    Args:
        xml: As `decode.document` makes it.
        root: Its tree, read without an error.
        base: What relative references are resolved against.
    """
    try:
        return _Reader(Names(names.bindings(xml))).document(Node.root(root, base))
    except Uncertain:
        return None


def _has_meaning(name: str) -> bool:
    """Tell whether an element may change what is read."""
    return name in RULES or name in _TAKEN or names.has_rule(name)


class _Persons:
    """feedparser's rules for authors, which mix up the persons of an entry now and then."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def _get_context(self) -> Values:
        return self._values

    _sync_author_detail = _FeedParserMixin._sync_author_detail
    _save_author = _FeedParserMixin._save_author


class _Reader:
    """What feedparser remembers while it reads a document.

    Args:
        names: Of the document's elements.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._is_atom = False
        self._feed: Values = {}
        self._entries: list[Values] = []
        self._values = self._feed  # of the feed, an entry or its source: what is being read
        self._depths: dict[str, int] | None = None  # where an entry's values stood; None outside
        self._title_depth = -1
        self._has_content = False

    def document(self, root: Node) -> Values:
        """Return what a whole document says."""
        if root.language:
            self._feed["language"] = root.language.replace("_", "-")
        self._is_atom = root.element.tag == _ATOM
        if self._is_atom:
            version = "atom10"
            self._walk(root)
        elif self._names[root.element.tag] == "rss" and len(root.element) == 1:
            sent = root.attributes.get("version", "")
            version = "rss20" if sent.startswith("2.") else _RSS_VERSIONS.get(sent, "rss")
            self._channel(root.child(root.element[0]))
        else:
            raise Uncertain
        return {"version": version, "feed": self._feed, "entries": self._entries}

    def _channel(self, node: Node) -> None:
        if self._names[node.element.tag] != "channel" or not _CDF.isdisjoint(node.attributes):
            raise Uncertain
        self._walk(node)

    def _walk(self, parent: Node, among: frozenset[str] = frozenset()) -> None:
        """Read what stands in an element; with `among` nothing else may stand there."""
        for element in parent.element:
            name = self._names[element.tag]
            rule = RULES.get(name)
            if (among and name not in among) or (not rule and _has_meaning(name)):
                raise Uncertain
            if rule:
                rule(self, parent.child(element))
            elif len(element):
                self._walk(parent.child(element))

    def _store(self, key: str, value: str, node: Node) -> None:
        """Keep a value; of an entry's values the one of the least depth stays."""
        if self._depths is not None:
            if node.depth > self._depths.get(key, node.depth):
                return
            self._depths[key] = node.depth
        self._values[key] = value

    # texts

    def _marked(self, node: Node, default: str) -> Values:
        """Return a text construct: its value with its type, language and base."""
        kind = _FeedParserMixin.map_content_type(node.attributes.get("type", default))
        if kind not in _TEXT or "mode" in node.attributes:
            raise Uncertain
        if kind == "application/xhtml+xml":
            if not self._is_atom:
                raise Uncertain
            value = node.xhtml()
        else:
            value = node.text()
            if kind == "text/plain" and not self._is_atom and ("&" in value or "<" in value):
                kind = "text/html" if _FeedParserMixin.looks_like_html(value) else kind
        language = node.language.replace("_", "-")
        return {"value": mended(value), "type": kind, "language": language, "base": node.base}

    def _detailed(self, node: Node, key: str, default: str = "text/plain") -> None:
        details = self._marked(node, default)
        self._store(key, details["value"], node)
        self._values[f"{key}_detail"] = details

    def _title(self, node: Node, *, lasts: bool = True) -> None:
        details = self._marked(node, "text/plain")
        if not -1 < self._title_depth <= node.depth:
            self._store("title", details["value"], node)
            self._values["title_detail"] = details
        if lasts and details["value"]:
            self._title_depth = node.depth

    def _description(self, node: Node) -> None:
        if "summary" in self._values and not self._has_content:
            self._content(node)
        else:
            self._detailed(node, "subtitle" if self._depths is None else "summary", "text/html")

    def _summary(self, node: Node) -> None:
        if "summary" in self._values and not self._has_content:
            self._content(node)
        else:
            self._detailed(node, "summary")

    def _content(self, node: Node, default: str = "text/plain") -> None:
        self._has_content = True
        details = self._marked(node, default)
        if self._depths is not None:
            self._values.setdefault("content", []).append(details)
        self._values.setdefault("summary", details["value"])

    def _plain(self, node: Node, key: str) -> None:
        if node.attributes:
            raise Uncertain
        self._store(key, mended(node.text()), node)

    def _comments(self, node: Node) -> None:
        if node.attributes:
            raise Uncertain
        self._store("comments", node.url(), node)

    def _language(self, node: Node) -> None:
        self._store("language", mended(node.text()), node)

    def _date(self, node: Node, key: str) -> None:
        value = mended(node.text())
        self._store(key, value, node)
        self._values[f"{key}_parsed"] = value  # which is read with the rest

    # links

    def _guid(self, node: Node) -> None:
        is_link = node.attributes.get("ispermalink", "true") == "true"
        value = node.url() if is_link else mended(node.text())
        self._store("id", value, node)
        if is_link:
            self._values.setdefault("link", value)

    def _link(self, node: Node) -> None:
        link = {"rel": "alternate", **node.attributes}
        link.setdefault("type", "application/atom+xml" if link["rel"] == "self" else "text/html")
        link = _FeedParserMixin._enforce_href(link)
        self._values.setdefault("links", []).append(link)
        text = node.url()
        if "href" in link:
            link["href"] = node.joined(link["href"])
            is_page = _FeedParserMixin.map_content_type(link["type"]) in _HTML
            if link["rel"] == "alternate" and is_page:
                self._values["link"] = link["href"]
            return
        if self._depths is not None:
            text = text.replace("&amp;", "&")
        if "&" in text:
            text = _QUERY_REFERENCE.sub(r"&\1", text)
        self._values["link"] = text
        if text or self._depths is None:
            link["href"] = text

    def _enclosure(self, node: Node) -> None:
        if len(node.element):
            raise Uncertain
        link = _FeedParserMixin._enforce_href({**node.attributes, "rel": "enclosure"})
        self._values.setdefault("links", []).append(link)

    # categories; those of the feed are not read

    def _tag(self, term: str | None, scheme: str | None = None, label: str | None = None) -> None:
        tag = {"term": term, "scheme": scheme, "label": label}
        tags = self._values.setdefault("tags", [])
        if any(tag.values()) and tag not in tags:
            tags.append(tag)

    def _category(self, node: Node, scheme: str | None = None) -> None:
        sent = node.attributes
        self._tag(
            sent.get("term"), sent.get("scheme", scheme or sent.get("domain")), sent.get("label")
        )
        self._term(mended(node.text()))

    def _itunes_category(self, node: Node) -> None:
        if len(node.element) and self._values is self._feed:
            self._walk(node, frozenset({"itunes_category"}))
            return
        self._tag(node.attributes.get("text"), _ITUNES_SCHEME)
        self._term(mended(node.text()))

    def _term(self, term: str) -> None:
        tags = self._values["tags"]
        if term and tags and not tags[-1]["term"]:
            tags[-1]["term"] = term
        elif term:
            self._tag(term)

    def _keywords(self, node: Node, scheme: str | None = None) -> None:
        if node.attributes:
            raise Uncertain
        for term in mended(node.text()).split(","):
            if term.strip():
                self._tag(term.strip(), scheme)

    # what holds other elements

    def _item(self, node: Node) -> None:
        sent = node.attributes
        if self._values is not self._feed or not _CDF.isdisjoint(sent) or _ABOUT in sent:
            raise Uncertain
        self._values, self._depths, self._title_depth = {}, {}, -1
        self._entries.append(self._values)
        self._walk(node)
        self._values, self._depths, self._has_content = self._feed, None, False

    def _details_of(self, node: Node) -> Iterator[tuple[str, str]]:
        """Yield what the children of a person say, as `name`, `email` or `href`."""
        for element in node.element:
            name, child = self._names[element.tag], node.child(element)
            key, value = _OF_A_PERSON.get(name), child.text()
            if key == "href":
                value = child.url()
                self._store("href", value, child)
            if key:
                yield key, value
            elif _has_meaning(name) or (value and child.attributes):
                raise Uncertain

    def _author(self, node: Node) -> None:
        persons = _Persons(self._values)
        self._values.setdefault("authors", []).append({})
        for key, value in self._details_of(node):
            persons._save_author(key, value)
        self._store("author", node.own_text(), node)
        persons._sync_author_detail()

    def _owner(self, node: Node) -> None:
        persons = _Persons(self._values)
        for key, value in self._details_of(node):
            if key == "href":
                raise Uncertain
            persons._save_author(key, value, "publisher")

    def _contributor(self, node: Node) -> None:
        for _ in self._details_of(node):
            pass  # not read, but an address may be taken for the source's

    def _picture(self, node: Node) -> None:
        self._skip(node, _IN_A_FEEDS_PICTURE if self._depths is None else _IN_A_PICTURE)

    def _text_input(self, node: Node) -> None:
        if self._depths is not None:
            raise Uncertain
        self._skip(node, _IN_A_TEXT_INPUT)

    def _skip(self, node: Node, among: frozenset[str]) -> None:
        """Pass over an element of which only the title is felt, by the titles that follow."""
        self._title_depth = -1
        for element in node.element:
            name = self._names[element.tag]
            if name not in among or (name == "title" and element.keys()):
                raise Uncertain
            if node.child(element).text() and name == "title":
                self._title_depth = node.depth + 1

    def _source(self, node: Node) -> None:
        entry, depths = self._values, self._depths
        if depths is None:
            raise Uncertain
        title = node.own_text()
        # Text that feedparser has no key for would become the source's own.
        texts = (each.text for each in node.element if self._names[each.tag] in _UNKEPT)
        if len(node.element) and (title or any(texts)):
            raise Uncertain
        self._values, self._depths, self._title_depth = {}, None, -1
        if "url" in node.attributes:
            self._values["href"] = node.attributes["url"]
        self._walk(node, _IN_A_SOURCE)
        if title:
            self._values["title"] = title
        entry["source"] = self._values
        self._values, self._depths = entry, depths

    def _ignored(self, node: Node) -> None:
        node.text()


_Rule = Callable[[_Reader, Node], None]
RULES: dict[str, _Rule] = {
    "author": _Reader._author,
    "category": _Reader._category,
    "comments": _Reader._comments,
    "content": _Reader._content,
    "content_encoded": partial(_Reader._content, default="text/html"),
    "contributor": _Reader._contributor,
    "copyright": partial(_Reader._detailed, key="rights"),
    "dc_creator": _Reader._author,
    "dc_date": partial(_Reader._date, key="updated"),
    "dc_description": _Reader._description,
    "dc_language": _Reader._language,
    "dc_rights": partial(_Reader._detailed, key="rights"),
    "dc_subject": _Reader._category,
    "dc_title": _Reader._title,
    "dcterms_issued": partial(_Reader._date, key="published"),
    "dcterms_modified": partial(_Reader._date, key="updated"),
    "description": _Reader._description,
    "enclosure": _Reader._enclosure,
    "entry": _Reader._item,
    "feedburner_origlink": partial(_Reader._plain, key="feedburner_origlink"),
    "guid": _Reader._guid,
    "id": _Reader._guid,
    "image": _Reader._picture,
    "item": _Reader._item,
    "itunes_author": _Reader._author,
    "itunes_category": _Reader._itunes_category,
    "itunes_keywords": partial(_Reader._keywords, scheme=_ITUNES_SCHEME),
    "itunes_owner": _Reader._owner,
    "itunes_subtitle": partial(_Reader._detailed, key="subtitle"),
    "itunes_summary": _Reader._summary,
    "language": _Reader._language,
    "lastbuilddate": partial(_Reader._date, key="updated"),
    "link": _Reader._link,
    "managingeditor": _Reader._author,
    "media_category": partial(_Reader._category, scheme=_MEDIA_SCHEME),
    "media_content": _Reader._walk,
    "media_description": _Reader._description,
    "media_group": _Reader._walk,
    "media_keywords": _Reader._keywords,
    "media_title": partial(_Reader._title, lasts=False),
    "pubdate": partial(_Reader._date, key="published"),
    "published": partial(_Reader._date, key="published"),
    "rights": partial(_Reader._detailed, key="rights"),
    "source": _Reader._source,
    "subtitle": partial(_Reader._detailed, key="subtitle"),
    "summary": _Reader._summary,
    "sy_updatebase": partial(_Reader._plain, key="sy_updatebase"),
    "sy_updatefrequency": partial(_Reader._plain, key="sy_updatefrequency"),
    "sy_updateperiod": partial(_Reader._plain, key="sy_updateperiod"),
    "textinput": _Reader._text_input,
    "title": _Reader._title,
    "ttl": partial(_Reader._plain, key="ttl"),
    "updated": partial(_Reader._date, key="updated"),
    **dict.fromkeys(
        ["cloud", "created", "dc_contributor", "dc_publisher", "dcterms_created",
         "feedburner_browserfriendly", "generator", "georss_box", "georss_line", "georss_point",
         "georss_polygon", "itunes_block", "itunes_explicit", "itunes_image", "media_credit",
         "media_license", "media_player", "media_rating", "media_restriction", "media_thumbnail",
         "webmaster"],
        _Reader._ignored,
    ),
}  # fmt: skip
