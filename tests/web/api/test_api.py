"""The JSON API."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from openapi_spec_validator import validate

from aggregator.models.entry import Author, Enclosure, Image
from tests.web.ops.test_metrics import poll
from tests.web.pages.test_pages import NASTY, PageSite, pages
from tests.web.sample_store import CONFIG, START, make_entry

__all__ = ["pages"]

PATHS = {
    "/entries": "/entries",
    "/entries/{entry_id}": "/entries/1",
    "/stories": "/stories",
    "/stories/{story_id}": "/stories/4",
    "/sources": "/sources",
    "/sources/{source_id}": "/sources/herald",
    "/sources/{source_id}/polls": "/sources/herald/polls",
    "/sections": "/sections",
}


def read(pages: PageSite, path: str) -> Any:
    answer = pages.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def check(document: Mapping[str, Any], name: str, value: object) -> None:
    """Check a value against a schema of the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=formats).validate(value)


def fill(pages: PageSite) -> None:
    entry = replace(
        make_entry(900, START - timedelta(hours=1)),
        title=NASTY,
        authors=(Author(name="Ann"),),
        categories=("Weather",),
        image=Image(url="https://a.example/p.jpg"),
        enclosures=(Enclosure(url="https://a.example/c.mp3", type="audio/mpeg"),),
    )
    entry_id = pages.sample.put("herald", entry)
    pages.sample.revise(entry_id, "Another title")
    pages.sample.add("odd", 2)
    reported(pages)
    poll(pages, START, "ok")
    poll(pages, START, "timeout", number=2)


def reported(pages: PageSite) -> list[int]:
    """Add a story of two sources."""
    ferry = replace(make_entry(901), title="Ferry with 212 on board aground off Skerrow")
    page = "https://post.example/ferry"
    copy = replace(ferry, guid=page, link=page, canonical_url=page)
    return [pages.sample.put("herald", ferry), pages.sample.put("post", copy)]


def test_the_document_is_valid_openapi(pages: PageSite) -> None:
    validate(read(pages, "/openapi.json"))


def test_the_document_has_every_path(pages: PageSite) -> None:
    described = set(read(pages, "/openapi.json")["paths"])
    rules = {
        rule.rule.removeprefix("/api/v1").replace("<int:", "{").replace("<", "{").replace(">", "}")
        for rule in pages.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
    }
    assert described == rules - {"", "/openapi.json"} == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_responses_match_the_document(pages: PageSite, path: str) -> None:
    fill(pages)
    document = read(pages, "/openapi.json")
    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    check(document, name, read(pages, PATHS[path]))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/4711", 404),
        ("/entries/x", 404),
        ("/entries/9999999999999999999", 404),
        ("/stories/9999999999999999999", 404),
        ("/sources/nowhere", 404),
        ("/sources/nowhere/polls", 404),
        ("/stories/99", 404),
        ("/stories?before=yesterday", 400),
        ("/nowhere", 404),
        ("/entries?colour=red", 400),
        ("/entries?limit=0", 400),
        ("/entries?before=yesterday", 400),
        ("/sources?limit=x", 400),
        ("/sources?limit=0000000019", 400),
        ("/sources?after=nowhere", 400),
    ],
)
def test_errors_are_problem_details(pages: PageSite, path: str, status: int) -> None:
    answer = pages.get(f"/api/v1{path}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json
    assert answer.json["status"] == status
    check(read(pages, "/openapi.json"), "Problem", answer.json)


LIST_PATHS = ["/entries", "/stories", "/sources"]
CURSOR = "2009-06-27T21:26:00Z~7"


@pytest.mark.parametrize(
    ("name", "value", "paths"),
    [
        *(("limit", str(number), LIST_PATHS) for number in (-1, 0, 1, 500, 501)),
        *(
            ("before", value, ["/entries", "/stories"])
            for value in (CURSOR, f"{CURSOR}x", "2009-06-27~7", "2009-06-27T21:26:00Z", "7")
        ),
    ],
)
def test_described_bounds_are_those_of_the_api(
    pages: PageSite, name: str, value: str, paths: list[str]
) -> None:
    document = read(pages, "/openapi.json")
    for path in paths:
        [schema] = [
            parameter["schema"]
            for parameter in document["paths"][path]["get"]["parameters"]
            if parameter["name"] == name
        ]
        sent = int(value) if schema["type"] == "integer" else value
        is_valid = jsonschema.Draft202012Validator(schema).is_valid(sent)
        status = pages.get(f"/api/v1{path}?{name}={value}").status_code
        assert status == (200 if is_valid else 400), path


def test_a_deleted_entry_is_gone_and_an_unknown_one_not_found(pages: PageSite) -> None:
    pages.sample.add("herald", 2)
    with pages.sample.store.transaction() as db:
        db.execute("delete from entries where id in (1, 2)")  # the last one too
    for entry_id, status in ((1, 410), (2, 410), (3, 404), (0, 404)):
        for path in (f"/api/v1/entries/{entry_id}", f"/entry/{entry_id}"):
            assert pages.get(path).status_code == status, path


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_api_is_read_only(pages: PageSite, method: str) -> None:
    answer = pages.client.open("/api/v1/entries", method=method)
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"


def test_paging_is_stable_while_entries_are_added(pages: PageSite) -> None:
    wanted = pages.sample.add("herald", 25)
    found: list[int] = []
    path = "/api/v1/entries?limit=10&section=world"
    while path:
        page = pages.get(path).json
        assert page
        found += [entry["id"] for entry in page["data"]]
        pages.sample.add("herald")
        following = urlsplit(page["next"] or "")
        path = f"{following.path}?{following.query}" if page["next"] else ""
    assert sorted(found) == wanted


def test_sources_are_paged(pages: PageSite) -> None:
    first = read(pages, "/sources?limit=2")
    assert [source["id"] for source in first["data"]] == ["herald", "post"]
    assert first["next"] == "https://site.example/api/v1/sources?limit=2&after=post"
    second = read(pages, "/sources?limit=2&after=post")
    assert [source["id"] for source in second["data"]] == ["odd"]
    assert second["next"] is None


def test_an_entry_has_its_content_and_earlier_versions(pages: PageSite) -> None:
    fill(pages)
    entry = read(pages, "/entries/1")
    assert entry["content"] == "<p>Content of 900</p>"
    assert [version["title"] for version in entry["versions"]] == [NASTY]
    assert entry["source"]["url"] == "https://site.example/source/herald"


@pytest.mark.parametrize(("text_from", "shown"), [("", "feed"), ("page", "page")])
def test_an_entry_says_where_its_text_is_from(pages: PageSite, text_from: str, shown: str) -> None:
    entry_id = pages.sample.put("herald", replace(make_entry(1), text_from=text_from))
    entry = read(pages, f"/entries/{entry_id}")
    assert entry["text_from"] == shown


def test_polls_have_their_outcomes(pages: PageSite) -> None:
    fill(pages)
    outcomes = {one["outcome"] for one in read(pages, "/sources/herald/polls")["data"]}
    assert outcomes == {"ok", "timeout"}


def test_stories_have_their_reports_with_reasons(pages: PageSite) -> None:
    first, second = reported(pages)
    [story] = read(pages, "/stories")["data"]
    assert (story["id"], story["title"]) == (first, "Ferry with 212 on board aground off Skerrow")
    assert [(one["entry"], one["reason"], one["similarity"]) for one in story["reports"]] == [
        (first, None, 1.0),
        (second, "same title", 1.0),
    ]
    assert read(pages, f"/stories/{first}") == story
    assert read(pages, f"/entries/{second}")["story"] == first
    pages.sample.withdraw(first)
    [story] = read(pages, "/stories")["data"]
    assert [one["entry"] for one in story["reports"]] == [second]


def test_stories_are_paged(pages: PageSite) -> None:
    for number in range(3):
        entry = make_entry(950 + number)
        title = f"{entry.title}: the ferry is still aground off Skerrow"
        for source in ("herald", "post"):
            page = f"https://{source}.example/{number}"
            made = replace(entry, title=title, guid=page, link=page, canonical_url=page)
            pages.sample.put(source, made)
    ids, path = [], "/stories?limit=2"
    while path:
        page = read(pages, path)
        ids += [one["id"] for one in page["data"]]
        path = (page["next"] or "").partition("/api/v1")[2]
    assert ids == [5, 3, 1]


def test_entries_of_a_story_are_listed_by_default(pages: PageSite) -> None:
    first, second = reported(pages)
    assert [one["id"] for one in read(pages, "/entries")["data"]] == [second, first]
    assert [one["id"] for one in read(pages, "/entries?stories=collapse")["data"]] == [first]


def test_sections_have_their_sources(pages: PageSite) -> None:
    world = read(pages, "/sections")["data"][0]
    assert (world["id"], world["sources"]) == (CONFIG.sections[0].id, ["herald", "post"])


def test_an_unchanged_response_is_304(pages: PageSite) -> None:
    tag = pages.get("/api/v1/entries").headers["ETag"]
    assert pages.get("/api/v1/entries", If_None_Match=tag).status_code == 304
