"""Decides which addresses may be connected to.

A feed's URL, a redirect or a name server can point to this machine or its network. Each address is
checked at connection time, after DNS, and only public unicast addresses pass, plus the hosts and
networks listed in `network.allow`.
"""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple


class _Range(NamedTuple):
    """A range of addresses as numbers, 20 times as fast as ipaddress."""

    version: int
    first: int
    last: int
    reason: str = ""


def _range(network: str, reason: str = "") -> _Range:
    parsed = ip_network(network, strict=False)
    first, last = int(parsed.network_address), int(parsed.broadcast_address)
    return _Range(parsed.version, first, last, reason)


# IANA's special-purpose registries (RFC 6890); the first match gives the reason. The table of
# ipaddress.is_global differs between patch releases of Python.
_SPECIAL = tuple(
    _range(network, reason)
    for network, reason in (
        ("0.0.0.0/8", "an unspecified address"),
        ("127.0.0.0/8", "a loopback address"),
        ("10.0.0.0/8", "a private address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address (RFC 6598)"),
        ("169.254.0.0/16", "a link-local address"),
        ("192.0.0.0/24", "an address reserved for protocols"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.0.2.0/24", "an address reserved for examples"),
        ("198.51.100.0/24", "an address reserved for examples"),
        ("203.0.113.0/24", "an address reserved for examples"),
        ("198.18.0.0/15", "an address reserved for benchmarks"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 form"),
        ("::/96", "an IPv4 address in IPv6 form"),
        ("64:ff9b::/96", "an IPv4 address behind NAT64"),
        ("64:ff9b:1::/48", "an IPv4 address behind NAT64"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("fc00::/7", "a private address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "an address reserved for protocols"),
        ("2001:db8::/32", "an address reserved for examples"),
        ("3fff::/20", "an address reserved for examples"),
        ("2002::/16", "a 6to4 address"),
    )
)
_UNICAST = (_range("0.0.0.0/0"), _range("2000::/3"))
_MAPPED = 0xFFFF << 32
"""Where IPv4 begins in IPv6, as a number (RFC 4291 §2.5.5.2)."""


def refusal_reason(ip: str, host: str, allow: Iterable[str]) -> str | None:
    """Return why a connection to an address is refused, None if it is allowed.

    Args:
        ip: The address that `host` resolved to.
        host: The name in the URL, lower case.
        allow: Host names, addresses and networks listed in `network.allow`.
    """
    networks, names = _opened(tuple(allow))
    if host in names:
        return None
    address = _number(ip)
    if address is None:
        return "not an IP address"
    reason = _special(*address)
    if reason is None or _within(networks, *address):
        return None
    version, number = address
    if version == 6 and number >> 32 == 0xFFFF and _within(networks, 4, number - _MAPPED):
        return None
    return reason


def refusal_message(ip: str, host: str, allow: Iterable[str]) -> str | None:
    """Return the reason of `refusal_reason` with the remedy, for people."""
    why = refusal_reason(ip, host, allow)
    if why is None:
        return None
    subject = f"{host} is" if host == ip else f"{host} resolves to {ip},"
    return f"{subject} {why}; to allow it, add it to `network.allow`"


def is_open(host: str, allow: Iterable[str]) -> bool:
    """Return whether `network.allow` lists a host by name, at any address."""
    return host in _opened(tuple(allow))[1]


def _number(ip: str) -> tuple[int, int] | None:
    try:
        if ":" in ip:
            return 6, int.from_bytes(socket.inet_pton(socket.AF_INET6, ip.partition("%")[0]))
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, ip))
    except OSError:
        return None


def _special(version: int, number: int) -> str | None:
    for family, first, last, reason in _SPECIAL:
        if first <= number <= last and family == version:
            return reason
    return None if _within(_UNICAST, version, number) else "a reserved address"


def _within(ranges: Iterable[_Range], version: int, number: int) -> bool:
    return any(first <= number <= last and family == version for family, first, last, _ in ranges)


@lru_cache(maxsize=16)
def _opened(allow: tuple[str, ...]) -> tuple[tuple[_Range, ...], frozenset[str]]:
    networks, names = [], []
    for item in allow:
        try:
            networks.append(_range(item.strip("[]")))
        except ValueError:
            names.append(item.lower().rstrip("."))
    return tuple(networks), frozenset(names)
