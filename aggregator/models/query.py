"""Queries that select entries: `section=europe&q=nato&since=7d`, in URLs and in the YAML file.

Each key is a row of `KEYS`. An entry must match every key, by any of the key's values.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote_plus, unquote_plus

from aggregator.errors import QueryError
from aggregator.models import search_terms
from aggregator.models.messages import N_, Message, joined
from aggregator.models.numbers import parse_number

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Ids of sections, sources and views."""

LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*")
"""A language tag in lower case (RFC 5646 §2.1, without its rarer forms)."""

MAX_ENTRIES = 500
MAX_LENGTH = 4_000
MAX_DURATION = timedelta(days=36_500)

_UNITS = MappingProxyType(
    {
        "d": timedelta(days=1),
        "h": timedelta(hours=1),
        "m": timedelta(minutes=1),
        "s": timedelta(seconds=1),
    }
)
_DURATION = re.compile(r"(?:([0-9]+)d)? ?(?:([0-9]+)h)? ?(?:([0-9]+)m)? ?(?:([0-9]+)s)?")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)([Zz]|[+ -]\d\d:\d\d)?)?",
    re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Sort(StrEnum):
    """Order of entries: `newest` by `sort_at`, `updated` by the last visible change."""

    NEWEST = "newest"
    UPDATED = "updated"


class Stories(StrEnum):
    """Whether a story that several sources cover is shown once, or as each of its entries."""

    COLLAPSE = "collapse"
    EXPAND = "expand"


class Lead(StrEnum):
    """Which entry represents a story: the first, the preferred source's, or the longest."""

    FIRST = "first"
    PRIORITY = "priority"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A selection of entries: all keys must match, each by any of its values.

    Args:
        q: Words, "phrases", prefix*, -not; the full-text search.
        exclude: Words that must not occur (the key `not`).
        since: Only entries published at or after this time.
        has: `audio`, `video`, `image`, `priority`.
        limit: Entries in a feed or page; None for the default.
        within: Only entries published within this time before now; `since` is None then.
        view: A saved view whose keep and drop rules apply; never in a URL.
        lead: The entry that represents a collapsed story.
    """

    section: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()
    q: str = ""
    exclude: str = ""
    since: datetime | None = None
    has: tuple[str, ...] = ()
    limit: int | None = None
    sort: Sort = Sort.NEWEST
    within: timedelta | None = None
    view: tuple[str, ...] = ()
    stories: Stories = Stories.COLLAPSE
    lead: Lead = Lead.FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryKey:
    """A key of queries.

    Args:
        values: Description of the values, for people.
        read: Converts one decoded value to the field of `Query`; raises QueryError.
        many: Whether the key may be repeated or take a comma list.
        commas: Whether a comma written as %2C belongs to the value, as in a name.
    """

    name: str
    values: str
    help: str
    read: Callable[[str], object]
    many: bool = False
    commas: bool = False


def parse_duration(text: str) -> timedelta | None:
    """Return the duration of `90s`, `15m`, `1h 30m` or `7d`; None if invalid or over a century."""
    text = text.strip()
    match = _DURATION.fullmatch(text)
    if not text or not match or any(len(number or "") > 12 for number in match.groups()):
        return None
    parts = zip(match.groups("0"), _UNITS.values(), strict=True)
    seconds = sum(int(number) * int(unit.total_seconds()) for number, unit in parts)
    return timedelta(seconds=seconds) if seconds <= MAX_DURATION.total_seconds() else None


def render_duration(value: timedelta) -> str:
    """Return a duration of whole seconds as `1h30m`, `7d` or `0s`, for `parse_duration`."""
    written = ""
    for unit, length in _UNITS.items():
        number, value = divmod(value, length)
        written += f"{number}{unit}" if number else ""
    return written or "0s"


def parse(text: str) -> Query:
    """Return the query of a query string, percent-encoded as in a URL; empty values are ignored.

    Equal selections give equal queries: alternatives are sorted and times are in GMT.

    Raises:
        QueryError: Lists every invalid key and value, and the values that are allowed.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(N_("the query is longer than %(most)s characters", most=MAX_LENGTH))
    values_by_key: dict[str, list[object]] = {}
    problems: list[Message] = []
    for pair in filter(None, text.removeprefix("?").split("&")):
        name, _, raw = pair.partition("=")
        try:
            key, values = _read(unquote_plus(name), raw)
        except QueryError as error:
            problems.append(error.args[0])
            continue
        if values:
            values_by_key.setdefault(key.name, []).extend(values)
    for name in sorted(values_by_key):
        if len(values_by_key[name]) > 1 and not KEYS[name].many:
            problems.append(N_("%(key)s is given twice: give it once", key=name))
    if problems:
        raise QueryError(joined(problems))
    return _query(values_by_key)


def at(query: Query, now: datetime) -> Query:
    """Return the query with `within` as the time `since`, counted from the minute of `now`.

    All requests of one minute select the same entries.
    """
    if query.within is None:
        return query
    return replace(query, since=minute(now) - query.within, within=None)


def minute(now: datetime) -> datetime:
    """Return the beginning of a time's minute."""
    return now.replace(second=0, microsecond=0)


def render(query: Query) -> str:
    """Return the query string in its canonical form: `parse(render(query)) == query`."""
    pairs: list[tuple[str, Iterable[str]]] = [
        ("section", query.section),
        ("source", query.source),
        ("category", query.category),
        ("author", query.author),
        ("lang", query.lang),
        ("q", [query.q]),
        ("not", [query.exclude]),
        ("since", [_render_since(query)]),
        ("has", query.has),
        ("limit", [str(query.limit or "")]),
        ("sort", [query.sort if query.sort is not Sort.NEWEST else ""]),
        ("stories", [query.stories if query.stories is not Stories.COLLAPSE else ""]),
        ("lead", [query.lead if query.lead is not Lead.FIRST else ""]),
    ]
    written = ((name, ",".join(quote_plus(value) for value in values)) for name, values in pairs)
    return "&".join(f"{name}={value}" for name, value in written if value)


def _read(name: str, raw: str) -> tuple[QueryKey, list[object]]:
    key = KEYS.get(name)
    if key is None:
        near = get_close_matches(name.lower(), KEYS, n=1)
        raise QueryError(_unknown_key(name, near))
    if key.many and not key.commas:
        texts = unquote_plus(raw).split(",")
    else:
        texts = [unquote_plus(part) for part in (raw.split(",") if key.many else [raw])]
    stripped = (text.strip() for text in texts)
    return key, [key.read(text) for text in stripped if text]


def _unknown_key(name: str, near: list[str]) -> Message:
    keys = ", ".join(KEYS)
    if not near:
        return N_('unknown key "%(name)s": The keys are %(keys)s', name=name[:40], keys=keys)
    return N_(
        'unknown key "%(name)s": did you mean "%(near)s"? The keys are %(keys)s',
        name=name[:40],
        near=near[0],
        keys=keys,
    )


def _query(values_by_key: Mapping[str, list[object]]) -> Query:
    values: dict[str, object] = {}
    for name, items in values_by_key.items():
        field = _FIELDS.get(name, name)
        values[field] = tuple(sorted(map(str, set(items)))) if KEYS[name].many else items[0]
    if isinstance(values.get("since"), timedelta):
        values["within"] = values.pop("since")
    return Query(**values)  # type: ignore[arg-type]  # each row of KEYS reads its field's type


def _render_since(query: Query) -> str:
    if query.within is not None:
        return render_duration(query.within)
    if query.since is None:
        return ""
    since = query.since.astimezone(UTC).replace(tzinfo=None)
    day = since.date().isoformat()
    return day if since == datetime.fromisoformat(day) else f"{since.isoformat()}Z"


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise QueryError(N_("the query holds a control character"))
    return value


def _search_text(key: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        search_terms.check(key, _text(value))
        return value

    return read


def _id(value: str) -> str:
    if not ID.fullmatch(value):
        raise QueryError(
            N_(
                '"%(value)s" is not an id: '
                "use lower-case letters, digits, dots, dashes and underscores",
                value=value[:80],
            )
        )
    return value


def _language(value: str) -> str:
    if not LANGUAGE.fullmatch(value.lower()):
        text = N_(
            'lang="%(value)s" is not a language tag such as en, de or pt-br', value=value[:40]
        )
        raise QueryError(text)
    return value.lower()


def _choice(name: str, *values: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in values:
            raise QueryError(
                N_(
                    '%(key)s="%(value)s" must be one of %(values)s',
                    key=name,
                    value=value[:40],
                    values=", ".join(values),
                )
            )
        return value

    return read


def _limit(value: str) -> int:
    number = parse_number(value, least=1, most=MAX_ENTRIES)
    if number is None:
        raise QueryError(
            N_(
                'limit="%(value)s" must be a number from 1 to %(most)s',
                value=value[:40],
                most=MAX_ENTRIES,
            )
        )
    return number


def _since(value: str) -> datetime | timedelta:
    length = parse_duration(value)
    if length:
        return length
    try:
        return _time(value)
    except (ValueError, OverflowError):
        raise QueryError(
            N_(
                'since="%(value)s" must be a date such as 2026-11-01, '
                "a time such as 2026-11-01T06:30:00Z, or a duration such as 7d or 12h",
                value=value[:40],
            )
        ) from None


def _time(value: str) -> datetime:
    match = _TIME.fullmatch(value)
    if not match:
        raise ValueError(value)
    day, clock, zone = match.groups()
    zone = (zone or "Z").replace(" ", "+").upper()  # a "+" that was not percent-encoded
    return datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone}").astimezone(UTC)


_FIELDS = MappingProxyType({"not": "exclude"})

_ROWS = (
    QueryKey(
        name="section",
        values=N_("id, …"),
        help=N_("In one of these sections."),
        read=_id,
        many=True,
    ),
    QueryKey(
        name="source",
        values=N_("id, …"),
        help=N_("From one of these sources."),
        read=_id,
        many=True,
    ),
    QueryKey(
        name="category",
        values=N_("text, …"),
        help=N_("In one of these categories; write a comma within one as `%%2C`."),
        read=_text,
        many=True,
        commas=True,
    ),
    QueryKey(
        name="author",
        values=N_("name, …"),
        help=N_("By one of these authors; write a comma within a name as `%%2C`."),
        read=_text,
        many=True,
        commas=True,
    ),
    QueryKey(
        name="lang",
        values=N_("language tag, …"),
        help=N_("In one of these languages, such as `en` or `pt-br`."),
        read=_language,
        many=True,
    ),
    QueryKey(
        name="q",
        values=N_("words"),
        help=N_(
            'With all these words; `"a phrase"`, `start*` and `-without` work too. '
            "At most %(terms)s terms and %(prefixes)s prefixes, each with %(letters)s letters or "
            "more. Accents and case don't matter, and Chinese, Japanese, Korean and Thai words are "
            "found within a text.",
            terms=search_terms.MAX_TERMS,
            prefixes=search_terms.MAX_PREFIXES,
            letters=search_terms.MIN_PREFIX,
        ),
        read=_search_text("q"),
    ),
    QueryKey(
        name="not",
        values=N_("words"),
        help=N_("With none of these words."),
        read=_search_text("not"),
    ),
    QueryKey(
        name="since",
        values=N_("date, time or duration"),
        help=N_(
            "Published since a date (`2026-11-01`, GMT) or a time (`2026-11-01T06:30:00Z`), "
            "or within a duration before now (`7d`, `12h`)."
        ),
        read=_since,
    ),
    QueryKey(
        name="has",
        values="audio, video, image, priority",
        help=N_("With audio, video or an image, or marked as important by a rule."),
        read=_choice("has", "audio", "image", "priority", "video"),
        many=True,
    ),
    QueryKey(
        name="limit",
        values=N_("1 to %(most)s", most=MAX_ENTRIES),
        help=N_("The maximum number of entries."),
        read=_limit,
    ),
    QueryKey(
        name="sort",
        values="newest, updated",
        help=N_("By publication (`newest`, the default) or by the last visible change."),
        read=lambda value: Sort(_choice("sort", *Sort)(value)),
    ),
    QueryKey(
        name="stories",
        values="collapse, expand",
        help=N_(
            "Show a story that several sources cover as one entry that links to the others "
            "(`collapse`, the default), or show each entry (`expand`)."
        ),
        read=lambda value: Stories(_choice("stories", *Stories)(value)),
    ),
    QueryKey(
        name="lead",
        values="first, priority, longest",
        help=N_(
            "Which entry represents a story: the first to arrive (`first`, the default), that "
            "of the source with the highest `priority`, or the longest."
        ),
        read=lambda value: Lead(_choice("lead", *Lead)(value)),
    ),
)

KEYS: Mapping[str, QueryKey] = MappingProxyType({key.name: key for key in _ROWS})
"""Keys by name, in the order of the canonical form."""
