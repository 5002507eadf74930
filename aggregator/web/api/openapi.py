"""The OpenAPI 3.1 document of the JSON API."""

from typing import Any

from aggregator import __version__
from aggregator.models import query as queries
from aggregator.models.config import Config
from aggregator.policy.health import HEALTHS
from aggregator.store.queries.select import CURSOR_PATTERN, LAST_ID

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ID: Json = {"type": "integer", "minimum": 0, "maximum": LAST_ID}
_LIMIT: Json = {"type": "integer", "minimum": 1, "maximum": queries.MAX_ENTRIES, "default": 50}
_CURSOR: Json = {"type": "string", "pattern": f"^{CURSOR_PATTERN}$"}
_MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
_FLAG: Json = {"type": "boolean"}
_TIME: Json = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
_URL: Json = {"type": "string", "format": "uri"}


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _object(**members: Json) -> Json:
    return {"type": "object", "required": sorted(members), "properties": members}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_IMAGE = _object(url=_URL, width=_COUNT, height=_COUNT, caption=_TEXT, credit=_TEXT)
_ENCLOSURE = _object(url=_URL, type=_TEXT, length=_MAYBE_COUNT, duration=_MAYBE_COUNT, title=_TEXT)
_ENTRY = _object(
    id=_COUNT,
    uri={**_TEXT, "description": "The entry's id in feeds; permanent."},
    url={**_URL, "description": "The entry's page on this site."},
    link={**_MAYBE_TEXT, "description": "The publisher's page of the entry."},
    title=_TEXT,
    summary=_TEXT,
    authors=_list(_TEXT),
    categories=_list(_TEXT),
    language=_MAYBE_TEXT,
    source=_object(id=_TEXT, title=_TEXT, url=_URL),
    sections=_list(_TEXT),
    image={"oneOf": [_ref("Image"), {"type": "null"}]},
    enclosures=_list(_ref("Enclosure")),
    published={**_MAYBE_TIME, "description": "The publisher's date."},
    first_seen={**_TIME, "description": "Time of the first poll with the entry."},
    changed={**_TIME, "description": "Time of the publisher's last real change."},
    withdrawn={**_MAYBE_TIME, "description": "Time at which it was taken out of all lists."},
    retracted={**_MAYBE_TIME, "description": "Time at which its publisher removed it."},
)
_WHOLE_ENTRY: Json = {
    "allOf": [
        _ref("Entry"),
        _object(
            content={**_TEXT, "description": "Cleaned HTML."},
            text_from={
                "enum": ["feed", "page"],
                "description": "Where `content` is from: the feed, or the entry's page.",
            },
            hidden={**_MAYBE_TEXT, "description": "Reason why it is in no list."},
            rules=_list(_TEXT | {"description": "Effect of a rule on the entry."}),
            known_by=_list({"enum": ["guid", "link", "text"]}),
            story=_MAYBE_COUNT | {"description": "Id of the story that the entry belongs to."},
            versions=_list(_object(until=_TIME, title=_TEXT, content=_TEXT)),
        ),
    ]
}
_REPORT = _object(
    entry=_COUNT,
    uri=_TEXT,
    url=_URL,
    link=_MAYBE_TEXT,
    title=_TEXT,
    at={**_TIME, "description": "Position in lists: the earlier of publication and first poll."},
    source=_object(id=_TEXT, title=_TEXT, url=_URL),
    reason={
        **_MAYBE_TEXT,
        "description": "Reason for the match; null for the first entry.",
    },
    similarity={"type": "number", "description": "Similarity to the first entry, 0 to 1."},
)
_STORY = _object(
    id={**_COUNT, "description": "Id of the story's first entry; permanent."},
    began=_TIME,
    title={**_TEXT, "description": "Title of its first report."},
    reports=_list(_ref("Report")),
)
_SOURCE = _object(
    id=_TEXT,
    title=_TEXT,
    feed_url=_URL,
    site_url=_MAYBE_TEXT,
    sections=_list(_TEXT),
    enabled=_FLAG,
    health={"enum": list(HEALTHS)},
    health_since=_MAYBE_TIME,
    problem={**_MAYBE_TEXT, "description": "The reason for `health` in a few words."},
    error=_MAYBE_TEXT,
    failures={**_COUNT, "description": "Consecutive failed polls."},
    last_poll=_MAYBE_TIME,
    last_ok=_MAYBE_TIME,
    last_change=_MAYBE_TIME,
    next_poll=_TIME,
    next_poll_reason=_TEXT,
    entries=_COUNT,
)
_POLL = _object(
    at=_TIME,
    outcome={**_TEXT, "description": "ok, not_modified, equal or the kind of failure."},
    outcome_text={**_TEXT, "description": "The outcome in words, such as `404 Not Found`."},
    status={**_MAYBE_COUNT, "description": "Status code of the HTTP response."},
    milliseconds=_COUNT,
    bytes=_COUNT,
    conditional=_FLAG,
    new=_COUNT,
    changed=_COUNT,
    error=_MAYBE_TEXT,
    next_poll=_TIME,
    reason=_TEXT,
)
_SECTION = _object(id=_TEXT, title=_TEXT, description=_TEXT, url=_URL, sources=_list(_TEXT))
_PROBLEM = _object(type=_TEXT, title=_TEXT, status=_COUNT, detail=_TEXT)


def _page(of: str) -> Json:
    next_page = {**_MAYBE_TEXT, "description": "URL of the next page, null at the end."}
    return _object(data=_list(_ref(of)), next=next_page)


SCHEMAS: Json = {
    "Enclosure": _ENCLOSURE,
    "Entries": _page("Entry"),
    "Entry": _ENTRY,
    "Image": _IMAGE,
    "Poll": _POLL,
    "Polls": _page("Poll"),
    "Problem": _PROBLEM,
    "Report": _REPORT,
    "Section": _SECTION,
    "Sections": _page("Section"),
    "Source": _SOURCE,
    "Sources": _page("Source"),
    "Stories": _page("Story"),
    "Story": _STORY,
    "WholeEntry": _WHOLE_ENTRY,
}


def document(config: Config) -> Json:
    """Return the document."""
    entry_id = _path_parameter("entry_id", _ID)
    story_id = _path_parameter("story_id", _ID)
    source_id = _path_parameter("source_id", {"type": "string"})
    after = _parameter("after", "Start after the source with this id.", _TEXT)
    limit = _parameter("limit", "The maximum number of items.", _LIMIT)
    before = _parameter("before", "Start at a position in the list, from `next`.", _CURSOR)
    filters = [_filter(key) for key in queries.KEYS.values()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": config.site.title,
            "version": "1",
            "description": f"Read-only. Served by feed-aggregator {__version__}.",
        },
        "servers": [{"url": f"{config.site.url}/api/v1"}],
        "paths": {
            "/entries": _get("Entries of a view, newest first", "Entries", *filters, before),
            "/entries/{entry_id}": _get("One entry", "WholeEntry", entry_id),
            "/stories": _get("Stories, newest first, with their reports", "Stories", limit, before),
            "/stories/{story_id}": _get("One story", "Story", story_id),
            "/sources": _get("Sources, in the configuration's order", "Sources", after, limit),
            "/sources/{source_id}": _get("One source", "Source", source_id),
            "/sources/{source_id}/polls": _get(
                "Polls of a source, newest first", "Polls", source_id
            ),
            "/sections": _get("Sections, in the configuration's order", "Sections"),
        },
        "components": {"schemas": SCHEMAS},
    }


def _get(summary: str, schema: str, *parameters: Json) -> Json:
    problem = {
        "description": "An error",
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    success = {
        "description": summary,
        "content": {"application/json": {"schema": _ref(schema)}},
    }
    return {
        "get": {
            "summary": summary,
            "operationId": f"get{schema}",
            "parameters": list(parameters),
            "responses": {"200": success, "4XX": problem, "5XX": problem},
        }
    }


def _filter(key: queries.QueryKey) -> Json:
    schema = _LIMIT if key.name == "limit" else _TEXT
    default = " The API's default is `expand`." if key.name == "stories" else ""
    return _parameter(key.name, f"{key.help} Value: {key.values}.{default}", schema)


def _parameter(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path_parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}
