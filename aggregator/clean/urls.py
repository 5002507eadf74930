"""Resolve and check URLs, and bring them into the form for comparison (WHATWG URL Standard)."""

import re
from functools import lru_cache

import can_ada

MAX_LENGTH = 4_000

TRACKING = frozenset({
    "__twitter_impression", "_ga", "_gl", "_hsenc", "_hsmi", "_openstat", "cm_mmc", "cmp",
    "cmpid", "cvid", "dclid", "epik", "fb_action_ids", "fb_action_types", "fb_ref", "fb_source",
    "fbclid", "feedname", "feedtype", "ftag", "ftcamp", "gbraid", "gclid", "gclsrc",
    "guccounter", "guce_referrer", "guce_referrer_sig", "icid", "igsh", "igshid", "ito",
    "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber", "ml_subscriber_hash",
    "msclkid", "ncid", "ocid", "rb_clickid", "ref_src", "ref_url", "s_cid", "s_kwcid", "smid",
    "smtyp", "soc_src", "soc_trk", "spm", "sr_share", "trk", "trkcampaign", "ttclid", "twclid",
    "wbraid", "wickedid", "wt.mc_id", "wt_mc_id", "xtor", "yclid",
})  # fmt: skip
"""Query parameters, in lower case, that only track where a reader came from."""

TRACKING_PREFIXES = (
    "utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "oly_", "vero_", "__hs", "ns_",
    "at_bbc", "at_campaign", "at_custom", "at_format", "at_link", "at_medium", "at_ptr",
)  # fmt: skip
"""Prefixes of the names of such parameters."""

VARIANTS = frozenset({
    "amp", "amp=", "amp=1", "amp=true", "outputtype=amp", "from=rss", "partner=rss", "emc=rss",
    "ref=rss", "rss=1", "source=rss", "src=rss",
})  # fmt: skip
"""Whole parameters, in lower case, that select the same page or only name the feed."""

_SAME_HOST = re.compile(r"(?:www|m|mobile|amp)\.")
_MOBILE_LABEL = re.compile(r"([^.]*\.)m\.")  # en.m.wikipedia.org
_AMP_CACHE = re.compile(
    r"https?://(?:[^/?#]+\.cdn\.ampproject\.org/[a-z]/|www\.google\.[a-z.]+/amp/)(?:s/)?(?=.)"
)
_AMP_PATH = re.compile(r"(?<=[^/])/amp\Z|/amp(?=/[^/])|(?<=[\w-])(?<!%2[eE])\.amp(?=\.html\Z|\Z)")
_ASP_SESSION = re.compile(r"/\((?:[A-Z]\([^()/]*\))+\)(?=/|\Z)")
"""The path segment by which ASP.NET knows a visitor without cookies: `/(S(k3x1))/story.aspx`."""
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_IRI = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.-]+:
        (?:[^\s<>"{}|\\^`\[\]%\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f
            \ud800-\uf8ff\ufeff\ufff0-\uffff]
          |%[0-9A-Fa-f]{2})+""",
    re.VERBOSE,
)
_ACTIVE = ("javascript:", "vbscript:", "data:", "file:", "blob:", "about:")
_WEB = re.compile(r"https?:", re.IGNORECASE)
_WEB_STARTS = ("http://", "https://")


_parsed = lru_cache(maxsize=64)(can_ada.parse)  # few bases, each for many references


def absolute(base: str, reference: str) -> str:
    """Return the http or https URL of a reference, without user and password; "" if it has none.

    Two mistakes of publishers are corrected: `&amp;` in a URL, and a bare `www.example.org`.

    Args:
        base: URL of the document, or "" for a reference that is not relative.
        reference: Any text, as published.
    """
    reference = reference.strip()
    if not reference or len(reference) > MAX_LENGTH:
        return ""
    reference = reference.replace("&amp;", "&")
    if reference[:4].lower() == "www.":
        reference = f"http://{reference}"
    try:
        url = _parsed(base) + reference if base else can_ada.parse(reference)
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return ""
    href: str = url.href
    if not href.startswith(_WEB_STARTS):
        return ""
    if "@" in href and (url.username or url.password):
        url.username = url.password = ""
        href = url.href
    return href if len(href) <= MAX_LENGTH else ""


def canonical(url: str) -> str:
    """Return a URL in the form for comparison, "" if it is not an http or https URL.

    A page has one canonical URL with http or https, with or without `www.`, at its mobile or AMP
    address, with tracking parameters, a fragment, a slash at the end or a session of ASP.NET.
    Parameters keep their order, and `q=`, `id=`, `p=` and the like stay: they name pages. The page
    is not requested.
    """
    if not _WEB.match(url) or len(url) > MAX_LENGTH:
        return ""
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):
        return ""
    if "@" in url and (parsed.username or parsed.password):
        parsed.username = parsed.password = ""
    href, hostname = parsed.href, parsed.hostname
    host = _host(hostname)
    if not host or len(href) > MAX_LENGTH:
        return ""
    if cache := _AMP_CACHE.match(href):
        return canonical(f"https://{href[cache.end() :]}")
    port = parsed.port
    result = (
        f"https://{host}"
        f"{f':{port}' if port and port not in ('80', '443') else ''}"
        f"{_path(parsed.pathname)}{_query(parsed.search)}"
    )
    if "%" in result:
        result = _ESCAPE.sub(lambda escape: escape[0].upper(), result)
    if "#!" in href and parsed.hash.startswith("#!"):
        result += parsed.hash
    # ada skips `..` if an earlier name begins with a dot, and takes no `0..` for an address.
    if result != url and ("/." in result or hostname.endswith(".")):
        return canonical(result)
    return result


def _host(host: str) -> str:
    host = host.rstrip(".")
    while (end := _SAME_HOST.match(host)) and host.count(".") > 1:
        host = host[end.end() :]
    while host.count(".") > 2 and (mobile := _MOBILE_LABEL.match(host)):
        host = mobile[1] + host[mobile.end() :]
    return host


def _path(path: str) -> str:
    path = path.rstrip("/")
    if "/(" in path:
        path = _ASP_SESSION.sub("", path)
    before = ""
    while "amp" in path and path != before:
        before, path = path, _AMP_PATH.sub("", path).rstrip("/")
    return path or "/"


def _query(search: str) -> str:
    if not search:
        return ""
    kept = "&".join(part for part in search[1:].split("&") if part and not _is_noise(part))
    return f"?{kept}" if kept else ""


def _is_noise(part: str) -> bool:
    part = part.lower()
    name = part.partition("=")[0]
    return name in TRACKING or part in VARIANTS or name.startswith(TRACKING_PREFIXES)


def is_iri(guid: str) -> bool:
    """Return whether a guid is valid as an atom:id: an absolute IRI (RFC 4287 §4.2.6, RFC 3987).

    Schemes that browsers execute are refused, because some readers make the id a link.
    """
    if not _IRI.fullmatch(guid) or guid.count("#") > 1:
        return False
    start = guid[:12].lower()
    if start.startswith("http"):
        return bool(re.match(r"https?://[^/?#]", start))
    return not start.startswith(_ACTIVE)
