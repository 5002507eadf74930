"""Sanitise publishers' HTML.

    markup > bounds > legal characters > nh3 > rewrite > the same again

until nothing changes. Browsers parse the result once more, and markup that changes when it is
parsed again is how sanitisers were bypassed (mutation XSS). So the last step is nh3, which parses
as browsers do and confirms that it would change nothing; it is skipped for markup whose elements
stand only where no parser changes anything (`stable`), as in most texts.
"""

import re

import nh3

from aggregator.clean import text
from aggregator.clean.html import tags
from aggregator.clean.html.bounds import is_costly
from aggregator.clean.html.plain import MAX_LENGTH, lines, paragraphs
from aggregator.clean.html.rewrite import rewrite
from aggregator.models.entry import SafeHtml

MAX_ROUNDS = 5
"""Rounds after which markup that still changes is kept as plain text."""

_SPACES = " \t\n"
_NOSCRIPT_TAG = re.compile(r"<(/?)noscript(?=[\s>/])", re.IGNORECASE)
_TEX_SCRIPT = re.compile(
    r"<script\s(?=[^<>]*\bmath/tex\b)[^<>]*+>((?:[^<]|<(?!/script)){0,1000}+)</script\s*>",
    re.IGNORECASE,
)
_TEX_WRAPPING = re.compile(r"%\s*<!\[CDATA\[|%\s*\]\]>")
_LOADED_SCRIPT = re.compile(
    r"<script(\s(?=[^<>]*?\bsrc\s*=)[^<>]*+)>\s*</script\s*>", re.IGNORECASE
)


_USUAL_REFERENCE = (
    r"0?3[489]|1[6-9]\d|[2-9]\d\d|[1-9]\d{3}"
    r"|[xX](?:[aA]0|[1-9a-cA-C][\da-fA-F]{2,3}|1[fF][\da-fA-F]{3})"
)
_UNUSUAL_REFERENCE = re.compile(rf"&#(?!(?:{_USUAL_REFERENCE});)", re.ASCII)
"""A reference that may be to a line break or an illegal character."""

_READER = nh3.Cleaner(
    tags=set(tags.KEPT | tags.REWRITTEN),
    clean_content_tags=set(tags.GONE),
    attributes=tags.READ,
    link_rel=None,
    url_schemes={"http", "https", "mailto", "data"},
)
_JUDGE = nh3.Cleaner(
    tags=set(tags.KEPT),
    clean_content_tags=set(tags.GONE | tags.REWRITTEN),
    attributes=tags.ATTRIBUTES,
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
)


def sanitise(markup: str, *, base: str) -> SafeHtml:
    """Return HTML that is safe in any page and closed in itself.

    Only tags and attributes of an allow-list stay, URLs are absolute http or https (and mailto in
    links), and frames become links to their pages. Tracking pixels, hidden parts and empty
    elements are removed. Sanitising the result again changes nothing.

    Args:
        markup: Anything.
        base: URL that relative references resolve against.
    """
    markup = text.legal(markup)
    if "<" not in markup and "&" not in markup and len(markup) <= MAX_LENGTH:
        return SafeHtml(tags.escape(lines(markup)).strip(_SPACES))
    if is_costly(markup):
        return paragraphs(text.plain(markup))
    markup = _renamed(markup)
    for _ in range(MAX_ROUNDS):
        before, parsed = markup, _READER.clean(markup)
        read = text.legal(lines(parsed)) if _UNUSUAL_REFERENCE.search(markup) else parsed
        rewritten = rewrite(read, base)
        if rewritten is None:
            break
        markup = rewritten.markup.strip(_SPACES)
        is_stable = rewritten.is_stable and read == parsed
        if is_stable or markup == before or markup == _JUDGE.clean(markup):
            return SafeHtml(markup)
    return paragraphs(text.plain(markup))


def _tex(script: re.Match[str]) -> str:
    """Return the source of a formula that MathJax would show."""
    source = _TEX_WRAPPING.sub("", script[1])
    return f"<code>{tags.escape(source.strip())}</code>"


def _renamed(markup: str) -> str:
    """Rename noscript and external scripts, because nh3 would skip their content."""
    has_script = "script" in markup  # found far faster than the patterns
    if (has_script and "noscript" in markup) or "NOSCRIPT" in markup:
        markup = _NOSCRIPT_TAG.sub(rf"<\1{tags.NOSCRIPT}", markup)
    if has_script and "<script" in markup:
        markup = _TEX_SCRIPT.sub(_tex, markup)
        markup = _LOADED_SCRIPT.sub(rf"<{tags.SCRIPT}\1></{tags.SCRIPT}>", markup)
    return markup
