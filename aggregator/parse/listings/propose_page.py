"""Selectors for a page, from the structures that repeat on it.

    elements with a class or parent in common | texts of their parts | score | selectors

An entry has a link of its own and a title of several words; a date, a picture and a lead speak for
it. Menus, tags and lists of popular entries repeat too: their texts are short, or they are in a
`nav`, `aside` or `footer`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from aggregator.models.listing import PageListing, compile_selector
from aggregator.parse.listings import dates, html
from aggregator.parse.listings.html import Element

FEWEST_ITEMS, MOST_ITEMS = 3, 500
"""Items of a listing that is proposed."""
MOST_GROUPS = 150
"""Groups of elements that are looked at, those with most items first."""
SAMPLE = 12
"""Items of a group that are looked into."""
MOST_PARTS = 60
"""Kinds of parts in an item that are looked at."""

_NOT_ITEMS = frozenset(
    {"html", "head", "body", "script", "style", "link", "meta", "option", "br", "img", "source",
     "path", "span", "b", "i", "em", "strong", "small", "time", "input", "button", "svg", "th",
     "td"}
)  # fmt: skip
_ASIDE = frozenset({"nav", "aside", "footer", "form", "noscript"})
_ASIDE_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav|menu|sidebar|side|footer|breadcrumbs?|tags?|cookies?|share|social|popular"
    r"|most-?read|trending|related|pagination|pager)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_GENERATED = re.compile(r"\d|^css-|^sc-|__[A-Za-z0-9]{5,}$|^(?:js|is|has)-", re.IGNORECASE)
_TITLE_NAME = re.compile(r"title|headline|heading|subject", re.IGNORECASE)
_SUMMARY_NAME = re.compile(r"summary|excerpt|teaser|lead|desc|intro|dek", re.IGNORECASE)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_NEXT = (
    "link[rel=next]", "a[rel=next]", "a.next", ".next a", "a.older", "a[class*=next]",
)  # fmt: skip


@dataclass(slots=True)
class Group:
    """Elements that may be the items of a listing."""

    selector: str
    items: Sequence[Element]
    score: float = 0.0
    links: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Part:
    """One kind of part in the items of a sample, and its texts."""

    selector: str
    texts: list[str] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def share(self, items: int) -> float:
        """Return the share of items that have it, with a text."""
        return sum(map(bool, self.texts)) / items

    @property
    def distinct(self) -> float:
        texts = [text for text in self.texts if text]
        return len(set(texts)) / len(texts) if texts else 0.0

    @property
    def length(self) -> float:
        return median(map(len, self.texts)) if self.texts else 0.0


def propose(page: Element, base: str, now: datetime) -> Iterator[tuple[float, PageListing]]:
    """Yield listings for a page with their scores, the best first.

    Args:
        page: The root of the page.
        base: URL that its references resolve against.
        now: The time of the poll, for relative dates.
    """
    groups = sorted(_groups(page), key=lambda group: -len(group.items))[:MOST_GROUPS]
    for group in groups:
        _rate(group, base, now)
    following = next((each for each in _NEXT if _leads_on(page, each, base)), "")
    seen: list[frozenset[str]] = []
    for group in sorted(groups, key=lambda group: -group.score):
        if group.score <= 0 or any(
            len(group.links & links) * 2 > len(group.links) for links in seen
        ):
            continue
        seen.append(group.links)
        yield group.score, _listing(group, base, now, following)


def _leads_on(page: Element, selector: str, base: str) -> bool:
    return any(html.link_of(each, base) for each in compile_selector(selector)(page)[:3])


# --- groups ----------------------------------------------------------------------------------


def _groups(page: Element) -> Iterator[Group]:
    """Yield the groups of elements with a class in common, or a parent and a tag."""
    by_class: dict[str, list[Element]] = {}
    by_parent: dict[tuple[Element, str], list[Element]] = {}
    for element in page.iter():
        if not isinstance(element.tag, str) or element.tag in _NOT_ITEMS:
            continue
        for name in _classes(element):
            by_class.setdefault(f"{element.tag}.{name}", []).append(element)
        parent = element.getparent()
        if parent is not None:
            by_parent.setdefault((parent, str(element.tag)), []).append(element)
    for selector, items in by_class.items():
        if FEWEST_ITEMS <= len(items) <= MOST_ITEMS and not _are_nested(items):
            yield Group(selector, items)
    for (parent, tag), items in by_parent.items():
        if FEWEST_ITEMS <= len(items) <= MOST_ITEMS:
            yield from _of_parent(page, parent, tag, items)


def _classes(element: Element) -> list[str]:
    names = (element.get("class") or "").split()[:10]
    return [name for name in names if is_name(name)]


def _are_nested(items: Sequence[Element]) -> bool:
    known = set(items)
    return any(above in known for item in items[:SAMPLE] for above in item.iterancestors())


def _of_parent(page: Element, parent: Element, tag: str, items: list[Element]) -> Iterator[Group]:
    """Yield the children of a parent, by the shortest selector that finds them and no others."""
    for above in (parent, *parent.iterancestors()):
        steps = " > " if above is parent else " "
        for name in _names(above):
            selector = f"{name}{steps}{tag}"
            found = compile_selector(selector)(page)
            if len(found) == len(items) and set(found) == set(items):
                yield Group(selector, items)
                return


def is_name(id: str) -> bool:
    """Return whether an id or class can stand in a selector and will probably stay."""
    return bool(_NAME.fullmatch(id)) and not _GENERATED.search(id)


def _names(element: Element) -> Iterator[str]:
    id = element.get("id") or ""
    if is_name(id):
        yield f"#{id}"
    tag = str(element.tag)
    yield from (f"{tag}.{name}" for name in _classes(element))
    yield tag


# --- score -----------------------------------------------------------------------------------


def _rate(group: Group, base: str, now: datetime) -> None:
    """Set the score and the links of a group; 0 for elements that are no entries."""
    titles, links = [], []
    for item in group.items:
        title, link = _main_link(item, base)
        titles.append(title)
        links.append(link)
    group.links = frozenset(filter(None, links))
    distinct = min(len(group.links), len(set(titles))) / len(group.items)
    words = median(_words_in(title) for title in titles)
    if len(group.links) < FEWEST_ITEMS or distinct < 0.7 or words < 2:
        return
    # A pager or an advert among the entries speaks for another group, without it.
    whole = sum(_words_in(title) > words / 2 for title in titles) / len(titles)
    sample = group.items[:SAMPLE]
    several = sum(len(_long_links(item, base)) > 2 for item in sample) / len(sample)
    dated = sum(_has_date(item, now) for item in sample) / len(sample)
    pictured = sum(any(True for _ in html.pictures(item, base)) for item in sample) / len(sample)
    length = median(len(html.text_of(item)) for item in sample)
    quality = distinct * min(words / 5, 1) + 0.5 * dated + 0.3 * pictured
    quality += 0.3 * min(length / 200, 1) + 0.2 * _is_article(sample[0])
    quality *= (1 - 0.8 * several) * whole**2
    quality *= 0.25 if _is_aside(sample[0]) else 1
    group.score = quality * min(len(group.items), 30) ** 0.5


def _words_in(text: str) -> int:
    """Return the number of words; scripts without spaces have two letters in one."""
    return len(text.split()) if not re.search("[\u3040-\u9fff]", text) else len(text) // 2


def _main_link(item: Element, base: str) -> tuple[str, str]:
    """Return the words and URL of an item's own link: of its heading, else of the most words."""
    if item.tag == "a" or any(each.tag == "a" for each in item.iterancestors()):
        heading = next((each for each in item.iter(*_HEADINGS)), item)
        return html.text_of(heading)[:200], html.link_of(item, base)
    for heading in item.iter(*_HEADINGS):
        if url := html.link_of(heading, base):
            return html.text_of(heading), url
    links = [(html.text_of(each), html.link_of(each, base)) for each in item.iter("a")]
    links = [each for each in links if each[1]]
    return max(links[:20], key=lambda each: len(each[0]), default=("", ""))


def _long_links(item: Element, base: str) -> set[str]:
    """Return the links of an item with several words, each page once."""
    return {
        url.partition("#")[0]
        for each in item.iter("a")
        if len(html.text_of(each).split()) > 3 and (url := html.link_of(each, base))
    }


def _has_date(item: Element, now: datetime) -> bool:
    if next(item.iter("time"), None) is not None:
        return True
    parts = (html.text_of(each) for each in _leaves(item))
    return any(_is_date(part, now) for part in parts)


def _leaves(item: Element) -> Iterator[Element]:
    """Yield the parts of an item that hold text and hardly any elements."""
    for number, each in enumerate(item.iter()):
        if number > MOST_PARTS:
            return
        if isinstance(each.tag, str) and len(each) < 3:
            yield each


def _is_date(text: str, now: datetime) -> bool:
    is_short = 2 <= len(text) <= 60 and any(map(str.isalnum, text))
    return is_short and dates.find(text, now) is not None and not text.isdecimal()


def _is_article(item: Element) -> bool:
    return item.tag == "article" or "post" in (item.get("class") or "").split()


def _is_aside(item: Element) -> bool:
    for each in (item, *item.iterancestors()):
        names = f"{each.get('class') or ''} {each.get('id') or ''}"
        if each.tag in _ASIDE or _ASIDE_NAME.search(names[:300]):
            return True
        if each.tag in ("main", "article"):
            return False
    return False


# --- fields ----------------------------------------------------------------------------------


def _listing(group: Group, base: str, now: datetime, following: str) -> PageListing:
    items = group.items[:SAMPLE]
    parts = list(_parts(items))
    title = _title(parts, items, base)
    date = _date(parts, items, now)
    summary = _summary(parts, items, title, date)
    if items[0].tag in ("dt", *_HEADINGS) and not date and not summary:
        date, summary = _beside(items, now)
    # Without a title of its own, an item's link may be another than that of its first words.
    link = "" if title or _link_by_default(items, base) else "a"
    return PageListing(
        items=group.selector, title=title, link=link, date=date, summary=summary, next=following
    )


def _parts(items: Sequence[Element]) -> Iterator[_Part]:
    """Yield the kinds of parts that most items have: by tag, class and place in a row."""
    counted = Counter[str](
        selector
        for item in items
        for selector in dict.fromkeys(s for each in item.iterdescendants() for s in _kinds(each))
    )
    common = [name for name, count in counted.items() if count >= 0.6 * len(items)]
    for selector in common[:MOST_PARTS]:
        part = _Part(selector)
        for item in items:
            found = compile_selector(selector)(item)
            inside = [each for each in found if each is not item]
            part.elements += inside[:1]
            part.texts.append(html.text_of(inside[0]) if inside else "")
        yield part


def _kinds(element: Element) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return
    yield from (f".{name}" for name in _classes(element))
    if element.tag == "td":
        yield f"td:nth-child({1 + sum(1 for _ in element.itersiblings(preceding=True))})"
    else:
        yield element.tag


def _title(parts: Iterable[_Part], items: Sequence[Element], base: str) -> str:
    """Return the selector of the titles, "" where an item has none but its own text."""
    wanted = {_main_link(item, base)[0] for item in items}

    def fits(part: _Part) -> bool:
        return part.share(len(items)) >= 0.9 and {*part.texts} <= wanted | {""}

    def rank(part: _Part) -> tuple[bool, bool, int]:
        is_named = bool(_TITLE_NAME.search(part.selector))
        return part.selector not in _HEADINGS, not is_named, len(part.selector)

    return min(filter(fits, parts), key=rank, default=_Part("")).selector


def _link_by_default(items: Sequence[Element], base: str) -> bool:
    return all(html.link_of(item, base) == _main_link(item, base)[1] for item in items)


def _date(parts: Iterable[_Part], items: Sequence[Element], now: datetime) -> str:
    """Return the selector of the shortest parts that are dates, "" without one."""
    dated = []
    for part in parts:
        texts = [text for text in part.texts if text]
        if part.selector == "time" and part.elements:
            return "time"
        count = sum(_is_date(text, now) for text in texts)
        if texts and count >= max(0.8 * len(texts), 0.5 * len(items)):
            dated.append(part)
    return min(
        dated, key=lambda part: (part.length, part.selector[0] != "."), default=_Part("")
    ).selector


def _summary(parts: Iterable[_Part], items: Sequence[Element], title: str, date: str) -> str:
    """Return the selector of the parts with most words that hold no title, "" without one."""
    titles = {id(found) for item in items for found in _found(item, title)}
    words = [html.text_of(found) for item in items for found in _found(item, title)[:1]]

    def fits(part: _Part) -> bool:
        holds_title = any(id(each) in titles for top in part.elements for each in top.iter())
        is_long = part.length >= 40 and part.selector not in (title, date, "a")
        if not is_long or holds_title or part.texts == words:
            return False
        return part.distinct > 0.8 and part.share(len(items)) > 0.6

    def rank(part: _Part) -> tuple[int, float, int]:
        kind = 0 if part.selector == "p" else 1 if _SUMMARY_NAME.search(part.selector) else 2
        return kind, -part.length, len(part.selector)

    return min(filter(fits, parts), key=rank, default=_Part("")).selector


def _found(item: Element, selector: str) -> list[Element]:
    return list(compile_selector(selector)(item)) if selector else []


def _beside(items: Sequence[Element], now: datetime) -> tuple[str, str]:
    """Return the selectors of date and summary of terms and headings, from the text after them."""
    selector = f"./following-sibling::{'dd' if items[0].tag == 'dt' else '*'}[1]"
    texts = [html.text_of(each) for item in items for each in _found(item, selector)]
    if not texts:
        return "", ""
    is_dated = sum(dates.find(text, now) is not None for text in texts) >= 0.8 * len(texts)
    is_long = median(map(len, texts)) >= 40
    return selector if is_dated else "", selector if is_long else ""
