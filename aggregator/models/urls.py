"""The parts of URLs on which several stages must agree."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import can_ada

PATH_PREFIX = re.compile("(/[A-Za-z0-9._~%-]+)*")
"""The path of a site's address: safe in header fields, cookies and markup."""


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


@lru_cache(maxsize=1)
def tag_authority(base_url: str) -> str:
    """Return the authority of the tag: URIs of a site: its host (RFC 4151 §2.1).

    IPv6 addresses are not allowed in one.
    """
    host = urlsplit(base_url).hostname or "localhost"
    return "localhost" if ":" in host else host
