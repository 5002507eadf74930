"""URLs as this program and libcurl both understand them.

If two parsers read one URL differently, every check can be bypassed. So libcurl only gets URLs
serialised by the WHATWG parser: no backslashes, no `0x7f.1`, host names in Punycode.
"""

from typing import NamedTuple
from urllib.parse import unquote

import can_ada

_SHOWN = 200
"""Maximum characters of a URL in a message."""


class RequestTarget(NamedTuple):
    """A URL to be requested.

    Args:
        href: Normalised, without fragment and without user name and password.
        scheme: `http`, `https` or another one.
        host: Lower case, IPv6 without brackets; the key of limits per host.
        credentials: `user:password` from the URL, "" without them.
    """

    href: str
    scheme: str
    host: str
    credentials: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454)."""
        return self.href[: self.href.index("/", len(self.scheme) + 3)]


def parse(url: str, *, base: str = "") -> RequestTarget | None:
    """Parse a URL, relative to `base` if given; return None if it is invalid."""
    try:
        parsed = can_ada.parse(base) + url if base else can_ada.parse(url)
    except ValueError:
        return None
    credentials = ""
    if parsed.has_credentials():
        credentials = f"{unquote(parsed.username)}:{unquote(parsed.password)}"
        parsed.username = parsed.password = ""
    if parsed.has_hash():
        parsed.hash = ""
    scheme, host = parsed.protocol[:-1], parsed.hostname.strip("[]")
    return RequestTarget(parsed.href, scheme, host, credentials)


def display(url: str) -> str:
    """Return a URL for messages, without user name, password and query, which may be secrets."""
    target = parse(url)
    if target is None:
        return "an unreadable URL"
    path, question, _ = target.href.partition("?")
    return path[:_SHOWN] + ("…" if len(path) > _SHOWN else "") + ("?…" if question else "")
