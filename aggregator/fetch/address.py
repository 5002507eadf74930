"""Which addresses may be connected to.

A feed's URL, a redirect or a name server can point at the machine itself or at its neighbours.
So every address is judged when it is connected to, after the name was resolved, and only public
unicast is let through. What `network.allow` names is open, and nothing else.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

# IANA's special-purpose registries (RFC 6890). Not ipaddress.is_global: its table differs between
# the patch releases of Python. The first match gives the reason.
_SPECIAL = tuple(
    (ip_network(network), what)
    for network, what in (
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
_IPV6_UNICAST = IPv6Network("2000::/3")

# Numbers, since this is asked for every connection and `in` costs 20 times as much.
_RANGES = {
    version: tuple(
        (int(network.network_address), int(network.broadcast_address), what)
        for network, what in _SPECIAL
        if network.version == version
    )
    for version in (4, 6)
}


def refused(ip: str, host: str, allow: Iterable[str]) -> str | None:
    """Why `ip`, which `host` led to, may not be connected to; None when it may.

    Args:
        ip: The address about to be connected to.
        host: The name in the URL, lower case.
        allow: Host names, addresses and networks that the configuration opens.
    """
    networks, names = _opened(tuple(allow))
    if host in names:
        return None
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return "not an IP address"
    what = _special(address)
    if what is None or any(address in network for network in networks):
        return None
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if inner is not None and any(inner in network for network in networks):
        return None
    return what


def refusal(ip: str, host: str, allow: Iterable[str]) -> str | None:
    """As `refused`, but as a sentence that says what to do."""
    why = refused(ip, host, allow)
    if why is None:
        return None
    where = f"{host} is" if host == ip else f"{host} leads to {ip},"
    return f"{where} {why}; if that is meant, name it under `network.allow`"


def opened(host: str, allow: Iterable[str]) -> bool:
    """Whether the configuration opens a host by its name, wherever it leads."""
    return host in _opened(tuple(allow))[1]


def _special(address: IPv4Address | IPv6Address) -> str | None:
    number = int(address)
    for first, last, what in _RANGES[address.version]:
        if first <= number <= last:
            return what
    if isinstance(address, IPv6Address) and address not in _IPV6_UNICAST:
        return "a reserved address"
    return None


@lru_cache(maxsize=16)
def _opened(
    allow: tuple[str, ...],
) -> tuple[tuple[IPv4Network | IPv6Network, ...], frozenset[str]]:
    networks, names = [], []
    for item in allow:
        try:
            networks.append(ip_network(item.strip("[]"), strict=False))
        except ValueError:
            names.append(item.lower().rstrip("."))
    return tuple(networks), frozenset(names)
