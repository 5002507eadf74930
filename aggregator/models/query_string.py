"""Query strings with keys that are not ours: of other programs, or misspelt."""

from difflib import get_close_matches
from urllib.parse import unquote_plus

from aggregator.models.messages import N_
from aggregator.models.query import KEYS

_TYPING_ERROR = 0.8
"""Similarity of an unknown key to one of ours, from 0 to 1; `utm_source` has 0.75 to `source`."""


def known_pairs(text: str, *others: str) -> str:
    """Return a query string with only the pairs whose key is in `KEYS` or in `others`.

    Shared addresses carry keys of other programs, such as `utm_source` and `fbclid`.
    """
    if not text:
        return ""
    pairs = text.removeprefix("?").split("&")
    names = (unquote_plus(pair.partition("=")[0]) for pair in pairs)
    return "&".join(
        pair for pair, name in zip(pairs, names, strict=True) if name in KEYS or name in others
    )


def suggestions(text: str) -> tuple[str, ...]:
    """Return a hint for each unknown key of a query string that is nearly one of `KEYS`."""
    names = dict.fromkeys(unquote_plus(pair.partition("=")[0]) for pair in text.split("&"))
    nearest = {
        name: get_close_matches(name.lower(), KEYS, n=1, cutoff=_TYPING_ERROR)
        for name in names
        if name not in KEYS
    }
    return tuple(
        N_(
            'Ignored the unknown key "%(name)s": did you mean "%(near)s"?',
            name=name[:40],
            near=near[0],
        )
        for name, near in nearest.items()
        if near
    )
