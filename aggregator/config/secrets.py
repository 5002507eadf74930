"""Which parts of the configured URLs and headers are secret; `policy.masking` masks them."""

from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from aggregator.models.config import SHORTEST_SECRET

LONG_SEGMENT = 16
"""Characters of a path segment that looks like a token, in a URL taken whole from ${NAME}."""


def of_url(url: str, filled: Collection[str] = (), *, private: bool = False) -> Iterator[str]:
    """Yield the secrets of a URL; the whole URL if one of them is too short to be masked alone.

    Args:
        url: With the values of the environment filled in.
        filled: The values that came from the environment.
        private: Whether the whole query is secret.
    """
    values = {secret for secret in _parts(url, filled, private=private) if secret}
    yield from (secret for secret in values if len(secret) >= SHORTEST_SECRET)
    if any(len(secret) < SHORTEST_SECRET for secret in values):
        yield url


def _parts(url: str, filled: Collection[str], *, private: bool) -> Iterator[str]:
    if not (private or filled or "@" in url):
        return  # most URLs; the cache of `urlsplit` would keep pages of the parsed file in use
    parts = urlsplit(url)
    yield from _userinfo(parts.username, parts.password)
    if private:
        yield from _query(parts.query)
    for value in filled:
        if "://" in value:
            yield from _whole_url(value)
        elif value.lower() not in parts.netloc.rpartition("@")[2].lower():
            yield value


def _userinfo(username: str | None, password: str | None) -> Iterator[str]:
    if password:
        yield unquote(password)
        yield f"{username}:{password}"
    elif username:  # a token in place of a name
        yield unquote(username)


def _whole_url(url: str) -> Iterator[str]:
    """Yield a URL that came whole from the environment, and its parts that look like tokens."""
    parts = urlsplit(url)
    yield url
    yield from _userinfo(parts.username, parts.password)
    yield from _query(parts.query)
    yield from (segment for segment in parts.path.split("/") if len(segment) >= LONG_SEGMENT)


def _query(query: str) -> Iterator[str]:
    """Yield a query and those of its values that do not also occur in ordinary text."""
    yield query
    yield from (value for _, value in parse_qsl(query) if len(value) >= SHORTEST_SECRET)
