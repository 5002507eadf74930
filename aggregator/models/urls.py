"""The parts of URLs on which several stages must agree."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import quote

import can_ada

_URI = re.compile(
    r"(?P<begin>[A-Za-z][A-Za-z0-9+.-]*:(?://\[[0-9A-Fa-f:.]+\])?)[A-Za-z0-9;/?:@&=+$._!~*'(),#%-]*"
)
_NOT_IN_URIS = re.compile(r"[^A-Za-z0-9;/?:@&=+$._!~*'(),#%-]")

PATH_PREFIX = re.compile("(/[A-Za-z0-9._~%-]+)*")
"""The path of a site's address: safe in header fields, cookies and markup."""


def as_uri(url: str) -> str:
    """Return a URL in the characters of URIs (RFC 3986 §2), which RSS requires; others as %xx.

    Browsers allow more: `|`, braces and brackets, and letters beyond ASCII.
    """
    if _URI.fullmatch(url):
        return url
    with suppress(ValueError, TypeError):  # TypeError: a lone surrogate
        url = can_ada.parse(url).href
    begin = _URI.match(url)
    at = begin.end("begin") if begin else 0
    return url[:at] + _NOT_IN_URIS.sub(lambda other: quote(other[0], errors="ignore"), url[at:])


def host_of(url: str) -> str:
    """Return the host that requests to a URL go to, as limits per host name it; "" without one.

    Lower case, in Punycode, IPv6 without brackets.
    """
    try:
        host: str = can_ada.parse(url).hostname
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return ""
    return host.strip("[]")


def origin_of(url: str) -> str:
    """Return scheme, host and port of an http or https URL (RFC 6454), "" of any other."""
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):
        return ""
    origin: str = parsed.origin
    return origin if parsed.protocol in ("http:", "https:") else ""


def source_feed(base: str, source_id: str) -> str:
    """Return the URL of our own feed of a source, at the address of the site."""
    return f"{base}/feeds/source/{source_id}.atom"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_url(host: str, port: int) -> str:
    """Return the URL of a server by the address it listens on, "" if it listens on all."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            return ""
    except ValueError:
        pass  # a host name
    return origin_of(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def public_name(url: str) -> str:
    """Return the host name of a URL if its owner may be known by it, "" for local names and IPs."""
    host = host_of(url)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host if "." in host and not is_loopback(host) else ""
    return ""
