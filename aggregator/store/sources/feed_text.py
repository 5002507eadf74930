"""A feed's metadata as the JSON text in `sources.feed`."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import lru_cache

from aggregator.models.entry import Author, Feed
from aggregator.store.database.times import format_time, parse_time


def dump_feed(feed: Feed) -> str:
    """Return the text of a feed's metadata, without its empty fields."""
    return json.dumps(
        {name: _plain(value) for name in feed.__slots__ if (value := getattr(feed, name))},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [asdict(each) if isinstance(each, Author) else each for each in value]
    return value


@lru_cache(maxsize=1024)  # a poll loads it twice: for its request, and with its result
def load_feed(text: str) -> Feed:
    """Return the metadata in a text of `dump_feed`."""
    if text == "{}":
        return Feed()
    fields = json.loads(text)
    for name in ("updated", "update_base"):
        if name in fields:
            fields[name] = parse_time(fields[name])
    for name in ("ttl", "update_period"):
        if name in fields:
            fields[name] = timedelta(seconds=fields[name])
    for name in ("skip_hours", "skip_days"):
        fields[name] = frozenset(fields.get(name, ()))
    for name in ("hubs", "problems"):
        fields[name] = tuple(fields.get(name, ()))
    fields["unmatched"] = tuple(map(tuple, fields.get("unmatched", ())))
    fields["authors"] = tuple(Author(**author) for author in fields.get("authors", ()))
    return Feed(**fields)
