"""Conditional requests and content coding, as pure rules (RFC 9110 §8.8, §12.5.3, §13)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

CODINGS = ("br", "zstd", "gzip", "identity")
"""Supported codings; of several that a client prefers equally, the first is sent."""

MAX_CACHED = 200
"""Characters of a field with a cached result; headers may be as long as the server allows."""

_ALIASES = {"x-gzip": "gzip"}  # §8.4.1.3
SUFFIXES = {"gzip": "-gz", "br": "-br", "zstd": "-zst", "identity": ""}
"""The suffixes of our ETags, by content coding."""

_OUR_SUFFIX = re.compile(r"-(?:gz|br|zst)$")
_FOREIGN_SUFFIX = re.compile(r"(?:--?|;)gzip$")
"""Suffixes that servers in front of ours append as they compress: Apache, Jetty and Tomcat, IIS."""

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_WEIGHT = re.compile(r"[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*$")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DATES = (
    re.compile(  # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        r"[A-Z][a-z]{2}, (?P<day>\d\d) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4})"
        r" (?P<time>\d\d:\d\d:\d\d) GMT",
        re.ASCII,
    ),
    re.compile(  # RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
        r"[A-Z][a-z]{5,8}, (?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d\d)"
        r" (?P<time>\d\d:\d\d:\d\d) GMT",
        re.ASCII,
    ),
    re.compile(  # asctime: Sun Nov  6 08:49:37 1994
        r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d)"
        r" (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4})",
        re.ASCII,
    ),
)


def date(text: str) -> datetime | None:
    """Parse a date in any of the three formats of HTTP (§5.6.7); None for anything else.

    Old clients append `; length=1234`, which is ignored.
    """
    for form in _DATES:
        match = form.fullmatch(text.partition(";")[0].strip())
        if not match or match["month"] not in _MONTHS:
            continue
        year = int(match["year"])
        if year < 100:  # validators are dates of the past: 70 to 99 are 1970 to 1999
            year += 1900 if year >= 70 else 2000
        hour, minute, second = (int(part) for part in match["time"].split(":"))
        try:
            month, day = _MONTHS.index(match["month"]) + 1, int(match["day"])
            return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            return None
    return None


def etags(field: str) -> tuple[str, ...]:
    """Return the opaque tags of an If-None-Match or If-Match field, without `W/` and quotes.

    Some clients drop the quotes: a field without any is a list of bare tags.
    """
    if '"' in field:
        return tuple(_TAG.findall(field))
    return tuple(tag.strip().removeprefix("W/") for tag in field.split(",") if tag.strip())


def is_unchanged(field: str, etag: str) -> bool:
    """Return whether an If-None-Match field names an ETag, also as other servers write it.

    A server that compresses our document appends its own suffix to the ETag, and may not remove it
    from the next request. The tag then stands for the document in any content coding.

    Args:
        etag: The opaque tag of the selected representation, without quotes.
    """
    if field.strip() == "*":
        return True
    tags = etags(field)
    if etag in tags:
        return True
    document = _OUR_SUFFIX.sub("", etag)
    plain = (_FOREIGN_SUFFIX.sub("", tag) for tag in tags if _FOREIGN_SUFFIX.search(tag))
    return any(_OUR_SUFFIX.sub("", tag) == document for tag in plain)


def status(headers: Mapping[str, str], *, etag: str, last_modified: datetime | None) -> int:
    """Return 200, 304 or 412 for a GET or HEAD, by the order of §13.2.2.

    Args:
        headers: The request's fields by lower-case name, several lines joined by commas.
        etag: The opaque tag of the selected representation, without quotes; a strong one.
    """
    if_match = headers.get("if-match")
    if if_match is not None:
        if if_match.strip() != "*" and not _strongly(if_match, etag):
            return 412
    elif last_modified is not None and "if-unmodified-since" in headers:
        since = date(headers["if-unmodified-since"])
        if since is not None and last_modified.replace(microsecond=0) > since:
            return 412
    if_none_match = headers.get("if-none-match")
    if if_none_match is not None:  # If-Modified-Since is ignored beside it
        return 304 if is_unchanged(if_none_match, etag) else 200
    if last_modified is not None and "if-modified-since" in headers:
        since = date(headers["if-modified-since"])
        if since is not None and last_modified.replace(microsecond=0) <= since:
            return 304
    return 200


def _strongly(field: str, etag: str) -> bool:
    return any(match[1] == etag and not match[0].startswith("W/") for match in _TAG.finditer(field))


def coding(accept: str | None) -> str | None:
    """Return the content coding for an Accept-Encoding field, None when none is acceptable.

    Args:
        accept: The field, None when the request has none: the body is sent unencoded then.
    """
    if accept is None:
        return "identity"
    return _coding(accept) if len(accept) <= MAX_CACHED else _coding.__wrapped__(accept)


@lru_cache(maxsize=256)
def _coding(accept: str) -> str | None:
    weights: dict[str, float] = {}
    for element in accept.split(","):
        name, _, _ = element.partition(";")
        weight = _WEIGHT.search(element)
        if ";" in element and not weight:
            continue
        name = name.strip().lower()
        weights[_ALIASES.get(name, name)] = float(weight[1]) if weight else 1.0
    others = weights.get("*")
    best, highest = None, 0.0
    for name in CODINGS:
        preference = weights.get(name, others)
        if preference is None:
            # identity is acceptable unless excluded, but codings that are named are preferred
            preference = 0.0001 if name == "identity" else 0.0
        if preference > highest:
            best, highest = name, preference
    return best
