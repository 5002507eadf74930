"""Addresses of the site as files of a folder: `/section/europe` is `section/europe/index.html`.

An address is the path of a page or document after the base URL, percent-encoded; pure.
"""

import posixpath
import re
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import quote, unquote_to_bytes

from aggregator.errors import AggregatorError

_TAG = re.compile(rb"<(a|form|link|script|img|source|audio|video)\b[^<>]*>")
_LINK = re.compile(rb'(\s(?:href|src|action|poster)=")(/[^"]*)')
_ENTRY = re.compile(r"/entry/([0-9]+)$")
_VERSION = re.compile(r"v=[0-9a-f]+")
_NO_SEGMENT = frozenset({"", ".", ".."})


class NeedsServer(AggregatorError):
    """A page links to an address that only a server can answer; a mistake of ours."""


def file_of(address: str, *, is_page: bool) -> str:
    """Return the path of the file for an address, in the folder.

    Raises:
        NeedsServer: The address has no file: it has a query, or could leave the folder.
    """
    if "?" in address:
        raise NeedsServer(f"{address}: an address with a query has no file")
    names = [unquote_to_bytes(part).decode("utf-8", "replace") for part in address.split("/")[1:]]
    if names[-1] == "":
        names[-1] = "index.html"
    elif is_page and not names[-1].endswith(".html"):
        names.append("index.html")
    if any(name in _NO_SEGMENT or "/" in name or "\0" in name for name in names):
        raise NeedsServer(f"{address}: this address has no file")
    return "/".join(names)


def links(body: bytes, root: str) -> Iterator[str]:
    """Yield the addresses on this site that a page links to, without fragments.

    The query that names the version of a static file is left out: its file is the same.

    Args:
        root: The path of the base URL, "" for none.
    """
    for tag in _TAG.finditer(body):
        for match in _LINK.finditer(tag[0]):
            link = unescape(match[2].decode("utf-8", "replace"))
            if link.startswith(f"{root}/") and not link.startswith("//"):
                yield _address(link[len(root) :])


def _address(link: str) -> str:
    path, mark, query = link.partition("#")[0].partition("?")
    return path if _VERSION.fullmatch(query) else f"{path}{mark}{query}"


def entry_id(address: str) -> int | None:
    """Return the entry id in the address of an entry's page, None for other addresses."""
    match = _ENTRY.fullmatch(address)
    return int(match[1]) if match else None


def with_relative_links(body: bytes, file: str, root: str) -> bytes:
    """Return a page with links that are relative to its file, and name files.

    Args:
        file: The page's own file.
    """
    here = posixpath.dirname(file)

    def relative(match: re.Match[bytes], element: str) -> bytes:
        link = unescape(match[2].decode("utf-8", "replace"))
        if not link.startswith(f"{root}/") or link.startswith("//"):
            return match[0]
        path, query_or_fragment = _parted(link[len(root) :])
        target = file_of(path, is_page=_leads_to_page(element, path))
        written = quote(posixpath.relpath(target, here or "."), safe="/~")
        return match[1] + escape(f"{written}{query_or_fragment}").encode()

    def rewritten(tag: re.Match[bytes]) -> bytes:
        return _LINK.sub(lambda match: relative(match, tag[1].decode()), tag[0])

    return _TAG.sub(rewritten, body)


def _parted(link: str) -> tuple[str, str]:
    end = min((at for mark in "?#" if (at := link.find(mark)) >= 0), default=len(link))
    return link[:end], link[end:]


def _leads_to_page(element: str, path: str) -> bool:
    return path == "/search" or (element in ("a", "form") and not path.startswith("/feeds/"))
