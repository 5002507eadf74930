"""Cookies within one chain of redirects (RFC 6265 §5), dropped at its end.

Some servers redirect to the same URL until a request brings the cookie that they set.
"""

import re
from collections.abc import Iterable

from aggregator.fetch.headers import Fields
from aggregator.fetch.urls import RequestTarget
from aggregator.models.config import Cookie

MAX_COOKIES = 20
MAX_LENGTH = 4_096
"""Characters of one cookie, and of all that are sent."""

_SAFE = re.compile(r"[^\x00-\x1f\x7f;]*")


class Cookies:
    """The cookies that the servers of a chain set; Path and Expires are ignored."""

    def __init__(self) -> None:
        """Hold none."""
        self._by_name: dict[tuple[str, str], str] = {}
        self._secure: set[tuple[str, str]] = set()
        self._most_cookies, self._most_characters = MAX_COOKIES, MAX_LENGTH

    def seed(self, cookies: Iterable[Cookie]) -> None:
        """Hold the cookies of a configuration, as many as there are."""
        for cookie in cookies:
            self._by_name[cookie.domain, cookie.name] = cookie.value
            if cookie.secure:
                self._secure.add((cookie.domain, cookie.name))
        self._most_cookies += len(self._by_name)
        self._most_characters += sum(map(len, self._by_name.values())) + MAX_LENGTH

    def store(self, fields: Fields, target: RequestTarget) -> None:
        """Take over the cookies that a response from `target` sets."""
        for value in fields.get("set-cookie", ()):
            pair, *attributes = value.split(";")
            name, equals, content = pair.strip().partition("=")
            is_sane = name and equals and len(pair) <= MAX_LENGTH and _SAFE.fullmatch(pair)
            if is_sane and len(self._by_name) < self._most_cookies:
                self._by_name[_domain(attributes, target), name] = content

    def field(self, target: RequestTarget) -> str:
        """Return the value of the Cookie field for a target, "" for none."""
        if not self._by_name:
            return ""
        pairs = [
            f"{name}={content}"
            for (domain, name), content in self._by_name.items()
            if target.host == domain or (domain[0] == "." and f".{target.host}".endswith(domain))
            if target.scheme == "https" or (domain, name) not in self._secure
        ]
        text = "; ".join(pairs)
        return text if len(text) <= self._most_characters else ""


def _domain(attributes: list[str], target: RequestTarget) -> str:
    """Return the host that a cookie is for, or `.domain` if it is for all hosts of a domain."""
    is_address = ":" in target.host or target.host[-1].isdigit()
    for attribute in () if is_address else attributes:
        name, _, value = attribute.partition("=")
        domain = value.strip().lstrip(".").lower()
        if name.strip().lower() == "domain" and "." in domain:
            return f".{domain}" if f".{target.host}".endswith(f".{domain}") else target.host
    return target.host
