"""Looks one place up: which requests to make in which order, and how their outcomes count.

    the feed's picture                                    square? it is the icon
    the site: robots.txt | home page | its icons | /favicon.ico

A look-up is a generator of requests, which is sent the outcome of each. It touches no network, so
`worker` makes the requests of many at once.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from urllib.parse import urljoin

from aggregator.icons.child import Unreadable
from aggregator.models.config import Limits
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    Hop,
    NotModified,
    Request,
    Validators,
)
from aggregator.models.urls import host_of, origin_of
from aggregator.parse import robots

PAGE_LIMITS = Limits(connect=5.0, idle=5.0, total=15.0, body=3_000_000, redirects=5)
"""Only the head of a page is needed, but a page comes whole; larger ones have /favicon.ico."""
PICTURE_LIMITS = Limits(connect=5.0, idle=5.0, total=15.0, body=2_000_000, redirects=5)
"""Artwork of podcasts has 3,000 × 3,000 pixels."""

_PAGE_HEADERS = {"Accept": "text/html, application/xhtml+xml"}
_PICTURE_HEADERS = {"Accept": "image/png, image/x-icon, image/webp, image/jpeg, image/gif"}

_LASTING = frozenset(
    {
        FailureKind.REFUSED_ADDRESS,
        FailureKind.REFUSED_SCHEME,
        FailureKind.TOO_LARGE,
        FailureKind.REDIRECTS,
        FailureKind.GONE,
        FailureKind.EMPTY,
    }
)
"""Failures that a request on the next day would only repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An icon: the PNG, where its picture is, and the picture's validators."""

    image: bytes
    url: str
    validators: Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """The icon has not changed since the last look-up."""

    url: str
    validators: Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No icon; `may_pass` says whether the reason is a fault that may be over tomorrow."""

    reason: str
    may_pass: bool


Result = Found | Same | Nothing
Lookup = Generator[Request, FetchOutcome, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """The functions that read untrusted bytes: in child processes, as `child` has them.

    Args:
        icon: Makes an icon of a picture, or raises `Unreadable`.
        links: Returns the icons that a page declares, from its body, URL and Content-Type.
    """

    icon: Callable[[bytes], bytes]
    links: Callable[[bytes, str, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where the icon was found last, "" if it never was."""

    url: str = ""
    validators: Validators = Validators()


def picture(url: str, known: Known, readers: Readers) -> Lookup:
    """Look at one picture, with the validators of the last time if it was this one."""
    is_known = url == known.url
    outcome = yield Request(
        url=url,
        headers=_PICTURE_HEADERS,
        limits=PICTURE_LIMITS,
        discover=False,
        validators=known.validators if is_known else Validators(),
        validators_url=url if is_known else "",
    )
    match outcome:
        case NotModified():
            return Same(url=url, validators=outcome.validators)
        case Fetched():
            try:
                image = readers.icon(outcome.body)
            except Unreadable as error:
                return Nothing(reason=f"{url} {error}", may_pass=False)
            # After a redirect the validators are those of another URL.
            is_direct = not outcome.transfer.hops
            validators = outcome.validators if is_direct else Validators()
            return Found(image=image, url=url, validators=validators)
        case _:
            return Nothing(reason=outcome.detail, may_pass=_may_pass(outcome))


def site(home: str, known: Known, readers: Readers, rules: str | None = None) -> Lookup:
    """Look for the icon of a site: the declared ones, then /favicon.ico.

    Args:
        home: URL of its home page, at the root of the host.
        known: Where the icon was found last.
        readers: Read the responses.
        rules: Its robots.txt, None to fetch it.
    """
    url = home
    hops: tuple[Hop, ...] = ()
    while True:
        if rules is None:
            outcome = yield robots.request_for(origin_of(url), limits=PAGE_LIMITS)
            rules = robots.rules_of(outcome)
        refusal = robots.refusal(rules, url)
        if refusal:
            return Nothing(reason=refusal.detail, may_pass=rules is None)
        page = yield Request(
            url=home,
            headers=_PAGE_HEADERS,
            limits=PAGE_LIMITS,
            discover=False,
            hosts=frozenset({host_of(url)}),
            hops=hops,
        )
        if not isinstance(page, Failed) or page.kind is not FailureKind.ELSEWHERE:
            break
        hops, rules = page.transfer.hops, None  # another host has a robots.txt of its own
        url = hops[-1].url
    candidates = _candidates(home, page, readers)
    result: Result = Nothing(reason=f"{home} has no icon", may_pass=False)
    for url in candidates:
        tried = yield from picture(url, known, readers)
        if not isinstance(tried, Nothing):
            return tried
        if tried.may_pass or not isinstance(result, Nothing) or not result.may_pass:
            result = tried
    return result


def _candidates(home: str, page: FetchOutcome, readers: Readers) -> tuple[str, ...]:
    if not isinstance(page, Fetched):
        return (urljoin(home, "/favicon.ico"),)
    declared = readers.links(page.body, page.url, page.content_type)
    return tuple(dict.fromkeys((*declared, f"{origin_of(page.url)}/favicon.ico")))


def _may_pass(failed: Failed) -> bool:
    if failed.kind is FailureKind.HTTP_STATUS:
        return failed.transfer.status >= 500
    return failed.kind not in _LASTING
