"""URLs: resolved and checked, and the form in which they are compared (WHATWG URL rules)."""

import re
from functools import lru_cache
from urllib.parse import urljoin

import can_ada

MAX_LENGTH = 4_000

TRACKING_PREFIXES = ("utm_", "at_", "mtm_", "pk_", "hsa_", "oly_", "vero_", "__hs", "ns_")
"""Prefixes of query parameters that only say where a reader came from."""

TRACKING = frozenset({
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid",
    "ttclid", "igshid", "igsh", "mc_cid", "mc_eid", "mkt_tok", "cmpid", "cmp", "cvid", "ocid",
    "ncid", "sr_share", "smid", "smtyp", "spm", "ftag", "ito", "ftcamp", "wt.mc_id", "wt_mc_id",
    "xtor", "_ga", "_gl", "_hsenc", "_hsmi", "guccounter", "guce_referrer", "guce_referrer_sig",
    "s_cid", "s_kwcid", "trk", "trkcampaign", "rss_id", "feature_rss", "ref_src", "ref_url",
})  # fmt: skip
"""Query parameters that only say where a reader came from."""

_MOBILE = ("www.", "m.", "mobile.", "amp.")
_BREAKS = re.compile(r"[\t\r\n]")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]+")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+\Z")
_AMP_PATH = re.compile(r"(?:/amp/?|\.amp(?=\.html$)|\.amp$)$|/amp(?=/)")


def absolute(base: str, reference: str) -> str:
    """Return the http or https URL that a reference means, "" when it means none that is safe."""
    reference = _BREAKS.sub("", reference).strip()
    if not reference or len(reference) > MAX_LENGTH:
        return ""
    try:
        url = can_ada.parse(urljoin(base, reference))
    except ValueError:
        return ""
    if url.protocol not in ("http:", "https:") or not url.hostname:
        return ""
    if url.username or url.password:
        url.username = url.password = ""
    href = str(url.href)
    return href if len(href) <= MAX_LENGTH else ""


@lru_cache(maxsize=4_096)
def canonical(url: str) -> str:
    """Return a URL as it is compared, "" for none.

    The same page under http and https, with and without `www.`, on its mobile and AMP address,
    with and without tracking parameters, fragment or a slash at the end, has one canonical URL.
    """
    if not url:
        return ""
    try:
        parsed = can_ada.parse(url)
    except ValueError:
        return ""
    host = parsed.hostname
    for prefix in _MOBILE:
        if host.startswith(prefix) and host.count(".") > 1:
            host = host.removeprefix(prefix)
    port = f":{parsed.port}" if parsed.port else ""
    path = _AMP_PATH.sub("", parsed.pathname).rstrip("/")
    search = parsed.search[1:]
    if search:
        kept = [part for part in search.split("&") if part and not _is_tracking(part)]
        search = f"?{'&'.join(kept)}" if kept else ""
    fragment = parsed.hash if parsed.hash.startswith("#!") else ""
    return f"https://{host}{port}{path or '/'}{search}{fragment}"


def _is_tracking(part: str) -> bool:
    name = part.partition("=")[0].lower()
    return (
        name in TRACKING or name.startswith(TRACKING_PREFIXES) or part.lower() in ("amp", "amp=1")
    )


def is_iri(text: str) -> bool:
    """Return whether a guid can stand as an atom:id (RFC 4287 §4.2.6): absolute, no spaces."""
    return bool(_IRI.match(text))


def bare(text: str) -> str:
    """Return text without the characters that no URL or id may hold."""
    return _UNSAFE.sub("", text)
