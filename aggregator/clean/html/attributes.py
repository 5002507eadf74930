"""Filter and normalise the attributes of kept elements."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from aggregator.clean import text, urls
from aggregator.clean.html.tags import ALIGNED, ATTRIBUTES, MATH

ID_PREFIX = "user-content-"
"""Prefix of every publisher's id, so that it cannot clash with an id of our pages."""

_NUMBER = re.compile(r"\s*(\d{1,4})(?:\.\d*)?(?:px)?\s*", re.ASCII)
_MAILTO = re.compile(r"mailto:[^\s\"'<>\x00-\x20\x7f]{3,500}", re.IGNORECASE)
_ID = re.compile(r"[^\s\"'<>&`=]{1,150}")
_LANGUAGE_CLASS = re.compile(
    r"(?:^|\s)(?:lang(?:uage)?-|highlight-source-|brush:\s?)([\w+#.-]{1,30})"
)
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*", re.IGNORECASE)
_TEXT_ALIGN = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|right|center|justify)", re.IGNORECASE)
_ALIGN = frozenset({"left", "right", "center", "justify"})
_MATH_VALUE = re.compile(r"[\w .,%#()\[\]{}|+/∣‖-]{0,60}")
_NO_NAMES: frozenset[str] = frozenset()
_OF_ALL = ATTRIBUTES["*"]
_SWITCHES = frozenset({"open", "reversed", "controls", "preload", "checked", "disabled"})
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "start", "value"})


def kept_attributes(
    name: str, sent: Mapping[str, str], base: str, *, source: str | None = None
) -> dict[str, str]:
    """Return the attributes to keep on an element.

    Args:
        name: Of the element.
        sent: Its attributes as published, their values as text.
        base: URL that relative references resolve against.
        source: The URL of its `src` as `urls.absolute` returns it, if the caller knows it.
    """
    allowed = ATTRIBUTES.get(name, _NO_NAMES)
    values = {}
    for key, value in sent.items():
        if key in allowed or key in _OF_ALL:
            is_known = source is not None and key == "src"
            clean = (source or None) if is_known else _value(name, key, value, base)
            if clean is not None:
                values[key] = clean
    if "xml:lang" in sent and "lang" not in values:
        language = _value(name, "lang", sent["xml:lang"], base)
        values |= {"lang": language} if language else {}
    if "style" in sent and name in ALIGNED and (aligned := _TEXT_ALIGN.search(sent["style"])):
        values["align"] = aligned[1].lower()
    return values


def _value(name: str, key: str, value: str, base: str) -> str | None:
    """Return the normalised value of an attribute, or None to drop it."""
    if name in MATH and key not in _OF_ALL:
        return value if _MATH_VALUE.fullmatch(value) else None
    if key in _NUMBERS:
        number = _NUMBER.fullmatch(value)
        return str(int(number[1])) if number else None
    if key in _SWITCHES:
        return ""
    match key:
        case "src" | "poster":
            return urls.absolute(base, value) or None
        case "id":
            return identifier(value)
        case "dir":
            value = value.strip().lower()
            return value if value in ("ltr", "rtl", "auto") else None
        case "lang":
            value = value.strip().replace("_", "-")
            return value if _LANGUAGE_TAG.fullmatch(value) else None
        case "align":
            value = value.strip().lower()
            return value if value in _ALIGN else None
        case "class":
            language = _LANGUAGE_CLASS.search(value)
            return f"language-{language[1]}" if language else None
        case _:
            return text.folded(value)


def identifier(value: str) -> str | None:
    """Return an id with our prefix, or None if it is not a valid id."""
    if not _ID.fullmatch(value):
        return None
    return value if value.startswith(ID_PREFIX) else ID_PREFIX + value


def link_target(href: str, base: str, targets: frozenset[str]) -> str:
    """Return the target of a link, or "" to drop it.

    Args:
        href: As published.
        base: URL that relative references resolve against.
        targets: The ids in the same text. Links to other places in the original page are
            dropped.
    """
    href = href.strip()
    if href.startswith("#"):
        target = identifier(unquote(href[1:]))
        return f"#{target}" if target in targets else ""
    if href[:1] in "mM" and _MAILTO.fullmatch(href):
        return href
    url = urls.absolute(base, href)
    if targets and "#" in url and url.partition("#")[0] == base.partition("#")[0]:
        target = identifier(unquote(url.partition("#")[2]))
        if target in targets:
            return f"#{target}"
    return url
