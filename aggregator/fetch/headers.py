"""Parses untrusted response headers."""

import re
from collections.abc import Iterable, Mapping, Sequence

from aggregator.fetch import urls

Fields = Mapping[str, Sequence[str]]
"""Values by lower-case name, in the order received."""

_WANTED = {
    name.encode(): name
    for name in (
        "age",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-type",
        "date",
        "etag",
        "expires",
        "im",
        "last-modified",
        "link",
        "location",
        "retry-after",
        "set-cookie",
    )
}

_LINKS = 50
"""Maximum links kept of one response; real feeds send at most a dozen."""

# Each part ends at a character that the next one starts with, so matching is linear.
_LINK = re.compile(
    r'<([^<>]*)>((?:\s*;\s*[^\s=;,<>"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,<>"]*))?)*)'
)
_PARAMETER = re.compile(r';\s*([^\s=;,<>"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,<>"]*)))?')


def parse(lines: Iterable[bytes]) -> tuple[Fields, bool]:
    """Return the fields of the last header section, and whether it is complete.

    Args:
        lines: All lines that libcurl reports as header: interim responses (1xx) first, trailers
            last. Trailers are ignored (RFC 9110 §6.5.1).
    """
    fields: dict[str, list[str]] = {}
    complete = False
    for line in lines:
        name, _, value = line.partition(b":")
        wanted = _WANTED.get(name.rstrip().lower())
        if wanted:
            if not complete:
                fields.setdefault(wanted, []).append(value.strip().decode("latin-1"))
        elif line in (b"\r\n", b"\n"):
            complete = True
        elif line.startswith(b"HTTP/"):
            fields, complete = {}, False
    return fields, complete


def first(fields: Fields, name: str) -> str:
    """Return the first value of a single-valued field, "" if it is absent."""
    values = fields.get(name)
    return values[0] if values else ""


def url(value: str) -> str:
    """Return the URL of a field, whose bytes are UTF-8; other bytes are percent-encoded."""
    raw = value.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % ord(byte[0]), raw).decode()


def members(fields: Fields, name: str) -> list[str]:
    """Return the non-empty members of a list field (RFC 9110 §5.6.1)."""
    parts = (part.strip() for value in fields.get(name, ()) for part in value.split(","))
    return [part for part in parts if part]


def links(fields: Fields, base: str) -> tuple[tuple[str, str], ...]:
    """Return `(rel, URL)` of the Link fields: rel lower case, http and https only (RFC 8288).

    Links with an `anchor` describe another resource and are ignored (§3.2).
    """
    targets: list[tuple[str, str]] = []
    for value in fields.get("link", ()):
        for match in _LINK.finditer(value):
            if len(targets) >= _LINKS:
                return tuple(targets)
            parameters = _parameters(match[2])
            target = urls.parse(url(match[1].strip()), base=base)
            if target is None or target.scheme not in ("http", "https") or "anchor" in parameters:
                continue
            targets += ((rel, target.href) for rel in parameters.get("rel", "").lower().split())
    return tuple(targets[:_LINKS])


def _parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(text):
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted else token
        parameters.setdefault(name.lower(), value)  # the first counts (RFC 8288 §3.3)
    return parameters
