"""JMESPath expressions for a JSON document, from the lists of objects in it."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from aggregator.models.listing import JsonListing, compile_path
from aggregator.parse.listings import dates

FEWEST_ITEMS = 3
"""Objects of a list that is proposed."""
MOST_VALUES = 20_000
"""Values of a document that are looked at."""
DEEPEST = 12
SAMPLE = 12

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = {
    "title": re.compile(r"^(?:title|headline|name|subject|heading|label)", re.IGNORECASE),
    "link": re.compile(r"^(?:url|link|href|permalink|uri|canonical|web_?url|path)", re.IGNORECASE),
    "date": re.compile(r"(?:date|time|publish|created|posted|_at$|At$|updated|modified)"),
    "summary": re.compile(
        r"^(?:summary|description|excerpt|teaser|intro|abstract|lead|dek|body|content|text)",
        re.IGNORECASE,
    ),
    "image": re.compile(r"^(?:image|thumb|picture|photo|img|cover|media|poster)", re.IGNORECASE),
}
_ADDRESS = re.compile(r"https?://\S+|/[^\s/]\S*")
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|avif|gif|svg)(?:[?#]|$)", re.IGNORECASE)


def propose(document: Any, script: str, now: datetime) -> Iterator[tuple[float, JsonListing]]:
    """Yield listings for a JSON document with their scores, in no order.

    Args:
        document: The parsed JSON.
        script: Selector of the script that holds it, "" for plain JSON.
        now: The time of the poll, for relative dates.
    """
    for path, items in _lists(document):
        sample = items[:SAMPLE]
        found = {name: _member(sample, name, now) for name in _NAMES}
        if not found["title"]:
            continue
        quality = 1 + 0.5 * bool(found["link"]) + 0.5 * bool(found["date"])
        quality += 0.2 * bool(found["image"]) + 0.2 * bool(found["summary"])
        quality *= 1 if found["link"] or found["date"] else 0.2
        listing = JsonListing(
            items=path,
            title=found["title"],
            link=found["link"],
            date=found["date"],
            summary=found["summary"],
            image=found["image"],
            script=script,
        )
        yield quality * min(len(items), 30) ** 0.5, listing


def _lists(document: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the lists of objects in a document, with their paths."""
    waiting: list[tuple[str, Any, int]] = [("", document, 0)]
    looked = 0
    while waiting and looked < MOST_VALUES:
        path, value, depth = waiting.pop()
        looked += 1
        if isinstance(value, list) and len(value) >= FEWEST_ITEMS:
            objects = [each for each in value if isinstance(each, dict)]
            if len(objects) == len(value):
                yield path or "@", objects
        if depth >= DEEPEST:
            continue
        if isinstance(value, dict):
            waiting += [(_joined(path, key), each, depth + 1) for key, each in value.items()]
        elif isinstance(value, list):
            few = enumerate(value[:5])
            waiting += [(f"{path}[{number}]", each, depth + 1) for number, each in few]


def _joined(path: str, key: str) -> str:
    name = (
        key if _PLAIN.fullmatch(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
    return f"{path}.{name}" if path else name


def _member(sample: list[dict[str, Any]], field: str, now: datetime) -> str:
    """Return the path in an item of the values that fit a field best, "" without any."""
    fits = _fitting(field, now)
    found = []
    for path, key in _paths(sample[0]):
        if not _NAMES[field].search(key):
            continue
        values = [compile_path(path)(item) for item in sample]
        good = [value for value in values if fits(value)]
        share = len(good) / len(sample)
        is_distinct = field == "date" or len({str(value) for value in good}) > 0.6 * len(good)
        if share >= (0.6 if field in ("title", "link", "date") else 0.4) and is_distinct:
            named = _NAMES[field].search(key)
            found.append((-share, named.start() if named else 9, path.count("."), len(path), path))
    return min(found, default=("",))[-1]


def _paths(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the paths of an object's values, two levels deep, with their names."""
    for key, value in item.items():
        path = _joined("", key)
        yield path, key
        inside = value[0] if isinstance(value, list) and value else value
        if isinstance(inside, dict):
            prefix = f"{path}[0]" if isinstance(value, list) else path
            for name in inside:
                yield _joined(prefix, name), name
                if name in ("rendered", "src", "url", "href", "value"):
                    yield _joined(prefix, name), key  # title.rendered, image.src


def _fitting(field: str, now: datetime) -> Callable[[Any], bool]:
    match field:
        case "title":
            return lambda value: isinstance(value, str) and 5 <= len(value) <= 300
        case "link":
            return lambda value: isinstance(value, str) and bool(_ADDRESS.fullmatch(value))
        case "date":
            return lambda value: _is_date(value, now)
        case "summary":
            return lambda value: isinstance(value, str) and len(value) >= 30
        case _:
            return lambda value: (
                isinstance(value, str)
                and bool(_ADDRESS.fullmatch(value) and _PICTURE.search(value))
            )


def _is_date(value: Any, now: datetime) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    return len(str(value)) >= 8 and dates.find(str(value), now) is not None
