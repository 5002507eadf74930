"""URLs as this program and libcurl both understand them.

Two parsers that read one URL differently are a way around every check, so libcurl is only ever
given what the WHATWG parser wrote: no odd slashes, no `0x7f.1`, names in Punycode.
"""

from typing import NamedTuple
from urllib.parse import unquote

import can_ada

_SHOWN = 200
"""Characters of a URL in a message."""


class Target(NamedTuple):
    """A URL to be requested.

    Args:
        href: Normalised, without fragment and without user name and password.
        scheme: `http`, `https`, or whatever else the URL says.
        host: Lower case, IPv6 without brackets; the key of all limits per host.
        credentials: `user:password` as the URL gave them, "" when it gave none.
    """

    href: str
    scheme: str
    host: str
    credentials: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454)."""
        return self.href[: self.href.index("/", len(self.scheme) + 3)]


def target(url: str, *, base: str = "") -> Target | None:
    """Read a URL, relative to `base` where one is given; None when it is no URL."""
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
    return Target(parsed.href, scheme, host, credentials)


def host(url: str) -> str:
    """Return the host of a URL as the limits per host name it, "" when it has none."""
    found = target(url)
    return found.host if found else ""


def shown(url: str) -> str:
    """Write a URL for people: its user name, password and query can be keys."""
    found = target(url)
    if found is None:
        return "an unreadable URL"
    path, question, _ = found.href.partition("?")
    return path[:_SHOWN] + ("…" if len(path) > _SHOWN else "") + ("?…" if question else "")
