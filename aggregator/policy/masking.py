"""Masks secrets in everything that leaves the program: pages, feeds, logs, stored error texts.

A secret is a value of the environment in the URL or a header of a source, in `network.proxy` or
`cluster.address`, the user name and password of such a URL, and the query of a source with
`private: true`. Any of them may come back from outside: in a redirect, a feed's own rel=self, or an
error page.
"""

import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

import re2

from aggregator.models.config import SHORTEST_SECRET

MASK = "***"

_KEPT_IN_URLS = "!$%&'()*+,/:;=@[]^|"
"""Characters that the WHATWG parser does not percent-encode in a path."""

CHUNK = 1_000
"""Literals of one expression: RE2 slows down sharply when its automaton outgrows its cache."""


class Masker:
    """Replaces every secret, in any of the encodings of URLs, HTML and JSON, by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Compile the expressions; secrets shorter than `SHORTEST_SECRET` are ignored."""
        forms = _encodings(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        chunks = (forms[start : start + CHUNK] for start in range(0, len(forms), CHUNK))
        self._expressions = [_compile(chunk) for chunk in chunks]

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if not self._expressions:
            return text
        return self.body(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")

    def body(self, body: bytes) -> bytes:
        """Return a response body in UTF-8 without secrets."""
        for expression in self._expressions:
            if expression.search(body):
                body = expression.sub(MASK.encode(), body)
        return body


@lru_cache(maxsize=4)
def masker(secrets: frozenset[str]) -> Masker:
    """Return the masker of a configuration's secrets."""
    return Masker(secrets)


def _encodings(secrets: Iterable[str]) -> list[str]:
    """Return each secret as it may stand in a URL, in HTML and in JSON; the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        for plain in {secret, unquote(secret)}:
            encoded = {plain, quote(plain, safe=""), quote(plain), quote_plus(plain)}
            encoded.add(quote(plain, safe=_KEPT_IN_URLS))
            encoded |= {_lower_escapes(form) for form in encoded}
            forms |= encoded
    forms |= {html.escape(form) for form in forms}
    forms |= {form.replace("&", "&amp;") for form in forms}
    forms |= {
        json.dumps(form, ensure_ascii=ascii)[1:-1] for form in forms for ascii in (True, False)
    }
    forms |= {form.replace("/", "\\/") for form in forms}
    return sorted(forms, key=lambda form: (-len(form), form))


def _lower_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _compile(forms: list[str]) -> "re2._Regexp":
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile("|".join(re2.escape(form) for form in forms).encode(), options)
