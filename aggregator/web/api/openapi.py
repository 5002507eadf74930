"""The description of the JSON API (OpenAPI 3.1)."""

from typing import Any

from aggregator import __version__
from aggregator.models import query as queries
from aggregator.models.config import Config

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_COUNT: Json = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
_FLAG: Json = {"type": "boolean"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
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
    uri={**_TEXT, "description": "The id in our feeds; it never changes."},
    url={**_URL, "description": "Our page on it."},
    link={**_MAYBE_TEXT, "description": "The publisher's page."},
    title=_TEXT,
    summary=_TEXT,
    authors=_list(_TEXT),
    categories=_list(_TEXT),
    language=_MAYBE_TEXT,
    source=_object(id=_TEXT, title=_TEXT, url=_URL),
    sections=_list(_TEXT),
    image={"oneOf": [_ref("Image"), {"type": "null"}]},
    enclosures=_list(_ref("Enclosure")),
    published={**_MAYBE_MOMENT, "description": "The publisher's date."},
    first_seen={**_MOMENT, "description": "When a poll first brought it."},
    changed={**_MOMENT, "description": "When its publisher last really changed it."},
    withdrawn={**_MAYBE_MOMENT, "description": "When it was taken back."},
)
_WHOLE_ENTRY: Json = {
    "allOf": [
        _ref("Entry"),
        _object(
            content={**_TEXT, "description": "Cleaned HTML."},
            hidden={**_MAYBE_TEXT, "description": "Why it is in no list."},
            rules=_list(_TEXT | {"description": "What a rule did with it, in words."}),
            known_by=_list({"enum": ["guid", "link", "text"]}),
            story=_MAYBE_COUNT | {"description": "The story that it is a report of."},
            versions=_list(_object(until=_MOMENT, title=_TEXT, content=_TEXT)),
        ),
    ]
}
_REPORT = _object(
    entry=_COUNT,
    uri=_TEXT,
    url=_URL,
    link=_MAYBE_TEXT,
    title=_TEXT,
    at={**_MOMENT, "description": "Its place in lists."},
    source=_object(id=_TEXT, title=_TEXT, url=_URL),
    reason={**_MAYBE_TEXT, "description": "Why it is one of the story; null for the first."},
    similarity={"type": "number", "description": "To the first, 0 to 1."},
)
_STORY = _object(
    id={**_COUNT, "description": "That of its first entry; it never changes."},
    began=_MOMENT,
    title={**_TEXT, "description": "Of its first report."},
    reports=_list(_ref("Report")),
)
_SOURCE = _object(
    id=_TEXT,
    title=_TEXT,
    feed_url=_URL,
    site_url=_MAYBE_TEXT,
    sections=_list(_TEXT),
    enabled=_FLAG,
    health={"enum": ["new", "fine", "slow", "failing", "gone", "silent", "quarantined"]},
    health_since=_MAYBE_MOMENT,
    error=_MAYBE_TEXT,
    failures={**_COUNT, "description": "In a row."},
    last_poll=_MAYBE_MOMENT,
    last_ok=_MAYBE_MOMENT,
    last_change=_MAYBE_MOMENT,
    next_poll=_MOMENT,
    next_poll_reason=_TEXT,
    entries=_COUNT,
)
_POLL = _object(
    at=_MOMENT,
    outcome={**_TEXT, "description": "ok, not_modified, equal, or what went wrong."},
    status={**_MAYBE_COUNT, "description": "Of the HTTP answer."},
    milliseconds=_COUNT,
    bytes=_COUNT,
    conditional=_FLAG,
    new=_COUNT,
    changed=_COUNT,
    error=_MAYBE_TEXT,
    next_poll=_MOMENT,
    reason=_TEXT,
)
_SECTION = _object(id=_TEXT, title=_TEXT, description=_TEXT, url=_URL, sources=_list(_TEXT))
_PROBLEM = _object(type=_TEXT, title=_TEXT, status=_COUNT, detail=_TEXT)


def _page(of: str) -> Json:
    following = {**_MAYBE_TEXT, "description": "The page that goes on, null at the end."}
    return _object(data=_list(_ref(of)), next=following)


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
    """Return the description."""
    entry_id = _path_parameter("entry_id", {"type": "integer"})
    story_id = _path_parameter("story_id", {"type": "integer"})
    source_id = _path_parameter("source_id", {"type": "string"})
    after = _parameter("after", "Go on after the source with this id.", _TEXT)
    limit = _parameter("limit", "At most so many.", {"type": "integer", "maximum": 500})
    before = _parameter("before", "Go on from a place; see `next`.", _TEXT)
    words = [_word(key) for key in queries.KEYS.values()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": config.site.title,
            "version": "1",
            "description": f"Read-only. Served by feed-aggregator {__version__}.",
        },
        "servers": [{"url": f"{config.site.base_url}/api/v1"}],
        "paths": {
            "/entries": _get("Entries of a view, newest first", "Entries", *words, before),
            "/entries/{entry_id}": _get("One entry", "WholeEntry", entry_id),
            "/stories": _get("Stories, newest first, with their reports", "Stories", limit, before),
            "/stories/{story_id}": _get("One story", "Story", story_id),
            "/sources": _get("Sources, in the configuration's order", "Sources", after, limit),
            "/sources/{source_id}": _get("One source", "Source", source_id),
            "/sources/{source_id}/polls": _get("Its last polls", "Polls", source_id),
            "/sections": _get("Sections, in the configuration's order", "Sections"),
        },
        "components": {"schemas": SCHEMAS},
    }


def _get(summary: str, answer: str, *parameters: Json) -> Json:
    problem = {
        "description": "What is wrong",
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    found = {
        "description": summary,
        "content": {"application/json": {"schema": _ref(answer)}},
    }
    return {
        "get": {
            "summary": summary,
            "operationId": f"get{answer}",
            "parameters": list(parameters),
            "responses": {"200": found, "4XX": problem, "5XX": problem},
        }
    }


def _word(key: queries.Key) -> Json:
    schema: Json = {"type": "integer"} if key.name == "limit" else _TEXT
    own = " Here the default is `expand`." if key.name == "stories" else ""
    return _parameter(key.name, f"{key.help} Value: {key.values}.{own}", schema)


def _parameter(name: str, words: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _path_parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}
