"""Feeds about the site: their responses follow the rules of other feeds."""

import pytest

from tests.web.pages.test_pages import PageSite, pages

__all__ = ["pages"]


@pytest.mark.parametrize("path", ["/feeds/health.atom", "/feeds/corrections.rss"])
def test_head_has_the_fields_of_get(pages: PageSite, path: str) -> None:
    got, head = pages.get(path), pages.client.head(path)
    assert head.headers["Content-Length"] == str(len(got.data)) != "0"
    assert (head.status, dict(head.headers), head.data) == (got.status, dict(got.headers), b"")
