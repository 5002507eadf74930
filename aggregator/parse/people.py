"""Authors: `<author>` of Atom, and names and addresses in one string, in every order.

pia@example.org (Pia Holm)     Pia Holm <pia@example.org>     Pia Holm (mailto:pia@example.org)
"""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from aggregator.models.entry import Author
from aggregator.parse.text import fix_encoding
from aggregator.parse.tree import Children, Element, XmlTree, first_text, join, named
from aggregator.parse.tree import text as text_of

MOST = 100
"""Authors of one entry or feed that are read."""

LONGEST = 2_000
"""Characters of an author that are read."""

_EMAIL = re.compile(
    r"(?<![\w@.+'-])(?:mailto:)?"
    r"([^\s<>()\[\],;:\"@]{1,64}@(?:[^\W_](?:[\w'-]*[\w])?\.)+[^\W\d_][\w-]+)",
    re.IGNORECASE,
)
# A host without a dot counts only where nothing but an address can stand.
_LOCAL_EMAIL = re.compile(r"<\s*([^\s<>()@]+@[\w.-]+)\s*>|\A([^\s<>()@]+@[\w.-]+)(?=\s*\(|\Z)")
_NEXT_PERSON = re.compile(r"(?<=[\w)>\]])\s*[,;]\s*")
_BRACKETS = re.compile(r"[<(\[]\s*[>)\]]")
_WRAPPED = re.compile(r"[(<\[\"“](.*)[)>\]\"”]", re.DOTALL)
_SITE = re.compile(r"[<(]\s*(https?://[^\s<>()]+)\s*[>)]|(https?://\S+)\Z")
_AROUND = " \t\r\n,;:|-–—"


_OF_AN_ENTRY = (
    ("author", "dc:creator"),
    ("dcterms:creator", "itunes:author", "googleplay:author"),
)
_OF_A_FEED = (
    ("author", "managingeditor", "dc:creator"),
    ("itunes:author", "googleplay:author"),
    ("itunes:owner", "dc:publisher"),
)


def of_entry(children: Children, tree: XmlTree) -> tuple[Author, ...]:
    """Return the authors that an entry names itself."""
    return _first(children, tree, _OF_AN_ENTRY)


def of_feed(children: Children, tree: XmlTree) -> tuple[Author, ...]:
    """Return the authors that a feed names; the owner of a podcast where there is no other."""
    return _first(children, tree, _OF_A_FEED)


def persons(sent: str) -> list[Author]:
    """Return the persons that a string names, several only if each has an address."""
    value = " ".join(sent[:LONGEST].split())
    if "&" in value:
        value = html.unescape(value)
    if value.count("@") > 1:
        parts = _NEXT_PERSON.split(value)
        if len(parts) > 1 and all(_EMAIL.search(part) for part in parts):
            return [_person(part) for part in parts]
    return [_person(value)]


def person(sent: str) -> Author:
    """Return the person that a string names, the first one of several."""
    return persons(sent)[0]


def _person(value: str) -> Author:
    email = uri = ""
    if site := _SITE.search(value):
        uri = site[1] or site[2]
        value = value.replace(site[0], " ")
    if "@" in value and (address := _EMAIL.search(value) or _LOCAL_EMAIL.search(value)):
        email = address[1] or address[2]
        value = value[: address.start()] + value[address.end() :]
        value = value.replace(f"mailto:{email}", "").replace(email, "")
    value = _BRACKETS.sub(" ", value).strip(_AROUND)
    if wrapped := _WRAPPED.fullmatch(value):
        value = wrapped[1]
    name = " ".join(value.split()).strip(_AROUND)
    return Author(name=name or ("" if email else uri), email=email, uri=uri)


def _first(
    children: Children, tree: XmlTree, groups: tuple[tuple[str, ...], ...]
) -> tuple[Author, ...]:
    """Return the authors of the first group of elements with a named one, else of the first."""
    nameless: tuple[Author, ...] = ()
    for names in groups:
        if not children.keys().isdisjoint(names):
            authors = _distinct(_authors(children, tree, *names))
            if any(author.name for author in authors):
                return authors
            nameless = nameless or authors
    return nameless


def _authors(children: Children, tree: XmlTree, *names: str) -> Iterator[Author]:
    for element in islice(named(children, *names), MOST):
        if len(element):
            yield _of_parts(element, tree)
        else:
            yield from persons(fix_encoding(text_of(element)))


def _of_parts(element: Element, tree: XmlTree) -> Author:
    """Return the person of an Atom or iTunes element that has name, email and uri within."""
    parts = tree.children(element)
    name = fix_encoding(first_text(parts, "name", "itunes:name", "googleplay:name", "?:name"))
    email = first_text(parts, "email", "itunes:email", "googleplay:email")
    uri = first_text(parts, "uri", "url", "homepage")
    stated = person(name)
    if stated.email:
        name = stated.name
    elif not (name or email or uri):
        return person(fix_encoding(text_of(element)))
    address = _EMAIL.search(email)
    return Author(
        name=name,
        email=address[1] if address else stated.email,
        uri=join(tree.base(element), uri) if uri else "",
    )


def _distinct(authors: Iterable[Author]) -> tuple[Author, ...]:
    """Return each person once, and addresses without a name only if no person has a name."""
    named = [author for author in authors if author.name or author.email or author.uri]
    if len(named) <= 1:  # most entries; to hash an author takes long
        return tuple(named)
    distinct = dict.fromkeys(named)
    people = [author for author in distinct if author.name] or list(distinct)
    known = {author.name for author in people if author.email or author.uri}
    return tuple(
        author for author in people if author.email or author.uri or author.name not in known
    )
