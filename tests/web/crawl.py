"""Follows every address of a site in pages, feeds, OPML, JSON and Link fields."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import etree, html

LINK_ATTRIBUTES = ("href", "src", "poster", "action", "data-copy")
PAST_VERSIONS = 20
"""Past versions that are opened: each links to others, without end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Crawl:
    """The result of a crawl: the status of each URL, and where each was found."""

    base: str
    statuses: dict[str, int] = field(default_factory=dict)
    found_on: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)

    @property
    def broken(self) -> dict[str, str]:
        """URLs without a page, each with its status and the URL that links to it."""
        expected = {f"{self.base}/hub": 405}  # subscribers send POST
        return {
            url: f"{status} on {self.found_on[url]}"
            for url, status in self.statuses.items()
            if status != expected.get(url, 200)
        }


def crawl(base: str, get: Callable[[str], Reply]) -> Crawl:
    """Follow every address with the origin of `base`, beginning with its front page.

    An address on the origin but outside of `base` is put into `outside` and not followed.
    """
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(base))
    result, waiting = Crawl(base), deque([f"{base}/", f"{base}/robots.txt"])
    result.found_on |= dict.fromkeys(waiting, "the start")
    past = 0
    while waiting:
        url = waiting.popleft()
        if f"{base}/at/" in url:
            past += 1
            if past > PAST_VERSIONS:
                continue
        reply = get(url)
        if reply.status in (301, 302, 303, 307, 308):
            found = [reply.headers["location"]]
            reply = Reply(200, {}, b"")
        else:
            found = list(addresses(reply))
        result.statuses[url] = reply.status
        for address in found:
            target = urldefrag(urljoin(url, address.removeprefix("feed:"))).url
            if target in result.found_on or not f"{target}/".startswith(f"{origin}/"):
                continue
            result.found_on[target] = url
            if f"{target}/".startswith(f"{base}/"):
                waiting.append(target)
            else:
                result.outside.add(f"{target} on {url}")
    return result


def addresses(reply: Reply) -> Iterator[str]:
    """Return all addresses in a response."""
    yield from re.findall("<([^>]*)>", reply.headers.get("link", ""))
    kind = reply.headers.get("content-type", "").partition(";")[0]
    if kind == "text/plain":
        yield from re.findall("^Sitemap: (.*)$", reply.body.decode(), re.MULTILINE)
    elif kind == "text/html":
        yield from _in_html(reply.body)
    elif kind == "text/xml" and reply.body.endswith(b"</oembed>\n"):
        yield from _in_json([element.text for element in etree.fromstring(reply.body)])
    elif kind.endswith(("xml", "opml")) and kind != "image/svg+xml":
        yield from _in_xml(reply.body)
    elif kind.endswith("json"):
        yield from _in_json(json.loads(reply.body))


def _in_html(body: bytes) -> Iterator[str]:
    for element in html.document_fromstring(body).iter(etree.Element):
        if element.tag == "form" and element.get("method", "get").lower() != "get":
            continue
        if element.tag == "meta" and re.match("https?://", element.get("content", "")):
            yield element.get("content", "")
        if element.get("type") == "application/ld+json":
            yield from _in_json(json.loads(element.text_content()))
        for name in LINK_ATTRIBUTES:
            if value := element.get(name):
                yield value


def _in_xml(body: bytes) -> Iterator[str]:
    for element in etree.fromstring(body).iter(etree.Element):
        values = [*element.attrib.values(), (element.text or "").strip()]
        yield from (str(value) for value in values if re.match("https?://", str(value)))


def _in_json(value: Any) -> Iterator[str]:
    if isinstance(value, str) and re.match("https?://", value):
        yield value
    elif isinstance(value, str) and value.startswith("<iframe "):
        yield from (unescape(url) for url in re.findall('src="([^"]*)"', value))
    elif isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _in_json(member)
