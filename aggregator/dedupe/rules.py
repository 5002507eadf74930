"""Keep and drop rules: which entries a source shows; RE2, so that no pattern can hang."""

from collections.abc import Sequence
from functools import lru_cache

import re2

from aggregator.model import Entry, Rule


@lru_cache(maxsize=10_000)
def _pattern(text: str) -> "re2._Regexp":
    return re2.compile(f"(?i){text}")


def verdict(rules: Sequence[Rule], entry: Entry) -> str:
    """Return why an entry is dropped, "" when it is shown.

    One drop rule that matches is enough; where there are keep rules, one of them must match.
    """
    keeps = False
    kept = False
    for rule in rules:
        hit = any(_pattern(rule.pattern).search(text) for text in _texts(entry, rule.field))
        if rule.action == "drop" and hit:
            return f"dropped by the rule {rule.field}: {rule.pattern}"
        if rule.action == "keep":
            keeps, kept = True, kept or hit
    return "" if kept or not keeps else "dropped: no keep rule matches"


def _texts(entry: Entry, field: str) -> Sequence[str]:
    match field:
        case "title":
            return (entry.title,)
        case "summary":
            return (entry.summary,)
        case "content":
            return (entry.text,)
        case "author":
            return [author.name for author in entry.authors]
        case "category":
            return entry.categories
        case _:
            return (entry.link,)
