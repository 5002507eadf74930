"""Conditional requests for pages and the API: 304 until something changes."""

import pytest

from tests.web.pages.test_pages import PageSite, pages

__all__ = ["pages"]

PATHS = [
    "/",
    "/section/world",
    "/entry/1",
    "/source/herald",
    "/status",
    "/status.json",
    "/status.csv",
    "/status/hosts",
    "/search?q=report",
    "/topics",
    "/help",
    "/corrections",
    "/api/v1/entries",
    "/api/v1/sources",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_page_is_304(pages: PageSite, path: str) -> None:
    pages.sample.add("herald", 3)
    full = pages.get(path)
    repeated = pages.get(path, If_None_Match=full.headers["ETag"])
    assert (full.status_code, repeated.status_code, repeated.data) == (200, 304, b"")
    for field in ("ETag", "Vary", "Cache-Control"):  # RFC 9110 §15.4.5
        assert repeated.headers[field] == full.headers[field], field


@pytest.mark.parametrize("path", ["/", "/entry/1", "/search?q=report", "/source/herald"])
def test_a_changed_page_is_sent_again(pages: PageSite, path: str) -> None:
    pages.sample.add("herald", 3)
    etag = pages.get(path).headers["ETag"]
    pages.sample.revise(1, "Report 1, corrected")
    assert pages.get(path, If_None_Match=etag).status_code == 200


def test_a_response_that_must_not_be_stored_has_no_etag(pages: PageSite) -> None:
    assert "ETag" not in pages.get("/websub/unknown").headers
