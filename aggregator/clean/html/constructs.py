"""Convert text constructs (RFC 4287 §3.1) and RSS descriptions to safe HTML."""

import html
import re

from aggregator.clean import text, urls
from aggregator.clean.html.plain import MAX_LENGTH, paragraphs
from aggregator.clean.html.sanitise import sanitise
from aggregator.clean.html.tags import escape
from aggregator.models import excerpt
from aggregator.models.entry import SafeHtml, Text

_MEANT_AS_HTML = re.compile(r"</(?:p|div|a|em|strong|ul|ol|h[1-6]|table|blockquote)>")
_ANY_TAG = re.compile(r"<(?:p|div|a|em|strong|ul|ol|h[1-6]|table|blockquote)\b[^<>]*>")
_BREAKING = re.compile(
    r"<(?:address|article|aside|blockquote|br|center|dd|details|div|dl|dt|figure|footer|form"
    r"|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|td|textarea|tr|ul)(?![a-z0-9-])",
    re.IGNORECASE,
)
_BLANK_LINE = re.compile(r"(?<=\S)[^\S\n]*\n[^\S\n]*\n\s*(?=\S)")


def from_text(content: Text | None, *, base: str) -> SafeHtml:
    """Return a text construct as safe HTML.

    Many publishers declare the wrong type: text that contains elements is read as HTML, and HTML
    without any element is read as text, so that its line breaks and `<words>` stay.
    """
    if content is None:
        return SafeHtml("")
    value = content.value
    if content.type == "text":
        if not (_MEANT_AS_HTML.search(value) and _ANY_TAG.search(value)):
            return paragraphs(value)
    elif not text.has_elements(value):
        return _from_bare(value)
    elif "\n" in value and not _BREAKING.search(value):
        value = _BLANK_LINE.sub("<br><br>", value)
    own_base = urls.absolute(base, content.base) if content.base else ""
    return sanitise(value, base=own_base or base)


def _from_bare(value: str) -> SafeHtml:
    """Return text without elements as HTML, after decoding its entities."""
    words = text.legal(html.unescape(value) if "&" in value else value).strip()
    if "\n" in words or "\r" in words:
        return paragraphs(words)
    return SafeHtml(escape(excerpt.lead(words, MAX_LENGTH)))
