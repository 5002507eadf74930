"""A document as a tree of elements, repaired where XML rules are broken.

    strict XML -> references repaired -> tags balanced -> feedparser

Each step is taken only when the one before leaves a fault.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from lxml import etree

from aggregator.parse import fallback, repair
from aggregator.parse.decode import NotAFeed
from aggregator.parse.names import Names

MOST_ATTRIBUTES = 200
"""Of one element. The parser's time is quadratic in their number."""

MOST_BASES = 8
"""Nested xml:base attributes that are resolved against each other."""

XML = "{http://www.w3.org/XML/1998/namespace}"
Element = etree._Element
Children = dict[str, list[Element]]
"""Child elements by name, in document order."""

_is_crowded = etree.XPath(f"boolean(//*/@*[{MOST_ATTRIBUTES + 1}])")
_ITEM = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
BEYOND_REPAIR = "too ill-formed to be repaired; read by feedparser"
"""The problem of a document that did not become a tree."""

_UNDECLARED = "an element has a prefix whose namespace is not declared"
_ITEM_TAG = re.compile(r"(?:\A|[}:])(?:item|entry)\Z", re.IGNORECASE)
_MESSAGES = {
    "ERR_TAG_NAME_MISMATCH": "an end tag does not match its start tag",
    "ERR_UNDECLARED_ENTITY": "an entity is used that XML does not know, such as &nbsp;",
    "WAR_UNDECLARED_ENTITY": "an entity is used that XML does not know, such as &nbsp;",
    "NS_ERR_UNDEFINED_NAMESPACE": _UNDECLARED,
    "ERR_TAG_NOT_FINISHED": "the document ends too early",
    "ERR_DOCUMENT_EMPTY": "the document ends too early",
    "ERR_GT_REQUIRED": "a tag has no end",
    "ERR_CDATA_NOT_FINISHED": "the document ends within a CDATA section",
    "ERR_ATTRIBUTE_NOT_STARTED": "the value of an attribute is not in quotes",
    "ERR_SPACE_REQUIRED": "no space is between two attributes",
    "ERR_LT_IN_ATTRIBUTE": "a < is in the value of an attribute",
    "ERR_MISPLACED_CDATA_END": "a ]]> is outside of a CDATA section",
    "ERR_ATTRIBUTE_REDEFINED": "an element has one attribute twice",
    "ERR_DOCUMENT_END": "something follows the end of the feed",
    "ERR_NAME_REQUIRED": "a bare & or <, or another character that XML forbids here",
    "ERR_ENTITYREF_SEMICOL_MISSING": "a bare & or <, or another character that XML forbids here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlTree:
    """A feed document's elements.

    Args:
        url: References resolve against it where no xml:base applies.
        is_cut: Whether the document ends within its last item.
        problems: The faults of the document. Without any, each item has the values that it would
            have without the other items.
    """

    root: Element
    names: Names
    url: str
    has_bases: bool
    has_languages: bool
    is_cut: bool = False
    problems: tuple[str, ...] = ()

    def children(self, element: Element) -> Children:
        """Return the elements in an element by name."""
        names, by_name = self.names, Children()
        for child in element:
            name = names[child.tag]
            if name in by_name:
                by_name[name].append(child)
            else:
                by_name[name] = [child]
        return by_name

    def base(self, element: Element) -> str:
        """Return the URL that references at an element resolve against (XML Base)."""
        base = self.url
        if self.has_bases:
            for reference in reversed(_inherited(element, f"{XML}base")[:MOST_BASES]):
                joined = join(base, reference.strip())
                base = joined if is_web(joined) else base
        return base

    def own_base(self, element: Element) -> str:
        """Return the base that xml:base sets for an element, "" when there is none."""
        base = self.base(element) if self.has_bases else ""
        return "" if base == self.url else base

    def language(self, element: Element) -> str:
        """Return the xml:lang in force at an element, "" when there is none."""
        languages = _inherited(element, f"{XML}lang") if self.has_languages else []
        return languages[0].strip().replace("_", "-") if languages else ""


def read(xml: bytes, url: str) -> XmlTree:
    """Return the tree of a document, well-formed or not.

    Args:
        xml: As `decode.document` makes it.
        url: Of the document.

    Raises:
        NotAFeed: Elements are nested too deep, one has too many attributes, or there is no feed.
    """
    root: Element | None = None
    faults: list[str] = []
    if not repair.declares_entities(xml):
        root, faults = _parse(xml)
    problems = tuple(faults[:1])
    is_cut = bool(faults) and repair.is_cut(xml)
    if root is None or faults:
        xml = repair.repair_references(xml)
        root, faults = _parse(xml)
        problems = problems or tuple(faults[:1])
    is_local = all(_UNDECLARED in fault for fault in faults)
    if root is None or not is_local or (faults and not _has_all_items(root, xml)):
        root, xml = _balanced(xml)
    if root is None:
        root = fallback.read(xml)
        problems += (BEYOND_REPAIR,)
    return replace(_tree(root, xml, url, problems), is_cut=is_cut)


def of_item(tree: XmlTree, item: Element) -> XmlTree:
    """Return the tree for reading an item that is in a namespace of its own."""
    if tree.names[item.tag] in ("item", "entry"):
        return tree
    return replace(tree, names=Names(str(tree.root.tag), str(item.tag)))


def join(base: str, reference: str) -> str:
    """Return an absolute URL of a reference; "" for one that can't be resolved."""
    if reference[:8].lower().startswith(("http://", "https://")):
        return reference
    try:
        return urljoin(base, reference)
    except ValueError:
        return ""


def is_web(url: str) -> bool:
    """Return whether a text is an http or https URL with a host."""
    if not url[:8].lower().startswith(("http://", "https://")) or url.split() != [url]:
        return False
    try:
        return bool(urlsplit(url).netloc)
    except ValueError:
        return False


def text(element: Element) -> str:
    """Return all text in an element, without white space around it."""
    if not len(element):
        return (element.text or "").strip()
    return "".join(str(each) for each in element.itertext()).strip()


def first_text(children: Children, *names: str) -> str:
    """Return the first text that is not empty, by the order of names, then of the document."""
    for name in names:
        for element in children.get(name, ()):
            if value := text(element):
                return value
    return ""


def named(children: Children, *names: str) -> Iterator[Element]:
    """Yield the elements of several names, by the order of names."""
    for name in names:
        yield from children.get(name, ())


def _tree(root: Element, xml: bytes, url: str, problems: tuple[str, ...]) -> XmlTree:
    if _is_crowded(root):
        raise NotAFeed(f"An element has more than {MOST_ATTRIBUTES} attributes; refused")
    channel = next(root.iterchildren("{*}channel"), root)
    return XmlTree(
        root=root,
        names=Names(str(root.tag), str(channel.tag)),
        url=url,
        has_bases=b":base" in xml,
        has_languages=b":lang" in xml,
        problems=problems,
    )


def _parse(xml: bytes) -> tuple[Element | None, list[str]]:
    """Return the root, None when there is none, and each fault in a sentence with its line."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        recover=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root: Element | None = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        root = None
    faults = []
    for fault in parser.error_log:
        if fault.type_name == "ERR_RESOURCE_LIMIT":
            limit = fault.message.partition(", use ")[0]
            raise NotAFeed(f"Line {fault.line} goes beyond a limit: {limit}; refused")
        faults.append(f"line {fault.line}: {_MESSAGES.get(fault.type_name, fault.message)}")
    return root, faults


def _balanced(xml: bytes) -> tuple[Element | None, bytes]:
    """Return the tree of the document with its tags balanced, if that has all of its items."""
    balanced = repair.balance(xml)
    root, _ = _parse(balanced)
    if root is not None and _has_all_items(root, xml):
        return root, balanced
    return None, xml


def _has_all_items(root: Element, xml: bytes) -> bool:
    items = sum(1 for each in root.iter("*") if _ITEM_TAG.search(str(each.tag)))
    return items >= len(_ITEM.findall(repair.without_opaque(xml)))


def _inherited(element: Element, attribute: str) -> list[str]:
    """Return an attribute's values, of the element and those around it, nearest first."""
    around: Iterable[Element] = (element, *element.iterancestors())
    return [value for each in around if (value := each.get(attribute)) is not None]
