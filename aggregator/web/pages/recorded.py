"""Texts that were stored in English, in the language of the interface.

The database keeps the reasons of decisions as they were written, for logs, commands and the API.
Those that are made of the phrases below are translated; others, such as the messages of servers and
libraries, are shown as they are, marked as English.
"""

import re
from functools import lru_cache

from aggregator.web.i18n import current, gettext, in_english, own, phrase

MAX_LENGTH = 500
"""Characters of a text that is translated: finding its phrases takes longer than reading it."""


PHRASES = (
    # policy/schedule.py
    phrase("configured: %(every)s"),
    phrase("no publishing pattern yet: %(every)s"),
    phrase("publishes about %(every)s"),
    phrase("entries were missed, so %(every)s"),
    phrase("minimum is %(duration)s"),
    phrase("maximum is %(duration)s"),
    phrase("the server says the feed is gone (410): retried monthly"),
    phrase("pushed by a hub, so polls are only a backup"),
    phrase("1 failure, retry in %(duration)s"),
    phrase("%(count)s failures in a row, retry in %(duration)s"),
    phrase("server says max-age %(seconds)s, capped at %(duration)s"),
    phrase("server says max-age %(seconds)s"),
    phrase("feed says ttl %(ttl)s, capped at %(duration)s"),
    phrase("feed says ttl %(ttl)s"),
    phrase("feed says it updates %(every)s, capped at %(duration)s"),
    phrase("feed says it updates %(every)s"),
    phrase("not before %(time)s (Retry-After, received %(received)s)"),
    phrase("not before %(time)s (Retry-After)"),
    phrase("skipHours lists every hour: ignored"),
    phrase("skipDays lists every day: ignored"),
    phrase("moved past the feed's skipHours or skipDays"),
    phrase("overdue at startup, spread over %(duration)s"),
    phrase("the clock was set back"),
    phrase("hourly"),
    phrase("every %(duration)s"),
    phrase("%(days)s days %(hours)s h"),
    phrase("%(days)s days"),
    # ingest/ and store/sources/
    phrase("found the feed's URL on the page; polling it now"),
    phrase("fetching older entries from the feed's archive, to fill a gap"),
    phrase("the only host was not reached, retry in %(duration)s"),
    phrase("the host was not reached, retry in %(duration)s"),
    phrase("this server's network seems to be down, retry in %(duration)s"),
    phrase("%(host)s limits requests for all its feeds (Retry-After, received for %(source)s)"),
    phrase("requested"),
    phrase("first poll"),
    phrase("its settings were changed"),
    phrase("the network is back"),
    phrase("Retry-After was longer than 30 days"),
    phrase("a hub pushes it now: polling once for entries that were not pushed"),
    phrase("the hub stopped pushing"),
    phrase("the hub's lease has ended"),
    phrase("the hub pushed a document that can't be read"),
    phrase("the URL was changed"),
    phrase("entries are held back"),
    phrase("the hub has not answered yet"),
    # dedupe/
    phrase("links to the same page"),
    phrase("one cites the other as its source, and they agree"),
    phrase("same title"),
    phrase("nearly the same opening text"),
    phrase("similar title and opening text"),
    phrase("one event in other words"),
    phrase("both name %(names)s"),
    phrase("both give %(figures)s"),
    phrase("both say “%(phrase)s”"),
    phrase("score %(score)s, from %(least)s on one event"),
    phrase("without the same names they would be apart"),
    phrase("without the same figures they would be apart"),
    phrase("without the same words they would be apart"),
    phrase("without words of one headline in the other report they would be apart"),
    phrase(
        "as a preview, an opinion or a correction, or with an opposite outcome, one would be apart"
    ),
    phrase("joined by the configuration"),
    # as earlier versions stored it
    phrase("one event in other words: both name %(names)s, both give %(figures)s"),
    phrase("one event in other words: both name %(names)s"),
    phrase(
        "%(count)s of %(size)s items were new at once; those dated before %(day)s or undated are"
        " held back as re-issued"
    ),
    # policy/filter_rules.py and models/entry.py
    phrase("quarantine: %(reason)s"),
    phrase("removed: %(reason)s"),
    phrase("retracted by its publisher"),
    phrase("dropped by the rule %(rule)s"),
    phrase("dropped: no keep rule matches"),
    phrase("given the category %(category)s by the rule %(rule)s"),
    phrase("moved to the section %(section)s by the rule %(rule)s"),
    phrase("marked as important by the rule %(rule)s"),
    phrase("not in section %(section)s: %(reason)s"),
    # policy/health.py, store/sources/incidents.py
    phrase("failing"),
    phrase("gone"),
    phrase("waiting"),
    phrase("quarantined"),
    phrase("retrying"),
    phrase("silent"),
    phrase("slow"),
    phrase("new"),
    phrase("fine"),
    phrase("disabled"),
    phrase("moved"),
    phrase("gap"),
    phrase("unreadable"),
    phrase("selector"),
    phrase("the last %(count)s pages of its entries gave no text: %(reason)s"),
    # store/websub/
    phrase("asked"),
    phrase("active"),
    phrase("leaving"),
    phrase("denied"),
    phrase("push"),
    phrase("ping"),
    phrase("subscribe"),
    phrase("unsubscribe"),
    phrase("expired"),
    phrase("the answer is not the challenge"),
    # the time of a reason
    phrase("next %(time)s: %(reason)s"),
)

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_COUNTS = frozenset({"count", "days", "hours", "seconds", "size"})
"""Placeholders for numbers."""

_NESTED = frozenset({"every", "duration", "ttl", "reason"})
"""Placeholders for values that are phrases too."""


def recorded(text: str) -> str:
    """Return a stored text for a page, with its language where that is another."""
    interface = current()
    if not text:
        return ""
    if interface.is_english:
        return own(text)
    found = _translation(text, interface.language)
    return in_english(text) if found is None else found


@lru_cache(maxsize=2_000)
def _translation(text: str, language: str) -> str | None:
    """Return the translation of a text or of its parts, None if one of them is no phrase."""
    if len(text) > MAX_LENGTH:
        return None
    if (whole := _phrase(text, language)) is not None:
        return whole
    first, separator, rest = text.partition("; ")
    if not separator:
        return None
    parts = [_phrase(part, language) for part in (first, *rest.split("; "))]
    known = [part for part in parts if part is not None]
    return "; ".join(known) if len(known) == len(parts) else None


def _phrase(text: str, language: str) -> str | None:
    match = _pattern().fullmatch(text)
    if match is None:
        return None
    number = int((match.lastgroup or "")[1:])
    start = f"p{number}_"
    values = {
        name.removeprefix(start): value
        for name, value in match.groupdict().items()
        if name.startswith(start)
    }
    for name in _NESTED & values.keys():
        values[name] = _translation(values[name], language) or values[name]
    return gettext(PHRASES[number], **values)


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """Return an expression for all phrases; a value has no semicolon, which separates phrases."""
    return re.compile("|".join(map(_expression, range(len(PHRASES)))), re.S)


def _expression(number: int) -> str:
    text, *rest = _PLACEHOLDER.split(PHRASES[number])
    parts = [re.escape(text)]
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        value = r"\d+" if name in _COUNTS else "[^;]+?"
        parts += [f"(?P<p{number}_{name}>{value})", re.escape(text)]
    return f"(?P<p{number}>{''.join(parts)})"
