"""The browser test and the header test cover every route."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from aggregator.web.app import create_app
from tests.web import test_browser
from tests.web.pages import test_pages
from tests.web.sample_store import open_sample

NO_PAGE = {
    "api.entries": "JSON",
    "api.entry": "JSON",
    "api.openapi": "JSON",
    "api.polls": "JSON",
    "api.root": "redirects to the description",
    "api.sections": "JSON",
    "api.source": "JSON",
    "api.sources": "JSON",
    "api.stories": "JSON",
    "api.story": "JSON",
    "as_of.choose": "redirects to a page",
    "as_of.feed": "a feed",
    "embed.oembed": "JSON or XML",
    "icons.icon": "a picture",
    "logo": "a picture",
    "logo_file": "a picture",
    "media.picture": "a picture",
    "metrics.metrics": "text for Prometheus",
    "probes.healthz": "one word",
    "probes.readyz": "one word",
    "status.csv": "a file for spreadsheets",
    "status.json": "JSON",
    "pages.author_part": "on a site of files",
    "pages.category_part": "on a site of files",
    "pages.lang_part": "on a site of files",
    "pages.news": "JSON",
    "pages.section_part": "on a site of files",
    "pages.stories_part": "on a site of files",
    "pages.view_part": "on a site of files",
    "headline_index.index": "on a site of files",
    "headline_index.part": "on a site of files",
    "source.part": "on a site of files",
    "favicon.ico": "a picture",
    "icon-180.png": "a picture",
    "manifest": "JSON, opened by test_browser_reads_the_manifest",
    "sitemap.index": "XML",
    "sitemap.news": "XML",
    "sitemap.pages": "XML",
    "sitemap.robots_txt": "text for crawlers",
    "sitemap.stories": "XML",
    "static": "script and icon",
    "style": "the stylesheet",
    "websub.verify": "requested by hubs",
    "login.form": "opened by test_poll_now_after_signing_in",
}
"""Routes that the browser does not open, each with the reason."""


def endpoints(app: Flask, paths: Iterable[str]) -> set[str]:
    """Return which routes answer the paths."""
    matched = set()
    for path in paths:
        try:
            matched.add(app.url_map.bind("site.example").match(path.partition("?")[0])[0])
        except HTTPException:
            continue  # a page that is not there
    return matched


def reading(app: Flask) -> set[str]:
    """Return the routes that can be opened."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with open_sample(tmp_path) as sample:
        yield create_app(lambda: sample.config, sample.store)


def test_browser_opens_every_page(app: Flask) -> None:
    assert reading(app) - endpoints(app, test_browser.PATHS) == set(NO_PAGE)


def test_headers_of_every_route_are_tested(app: Flask) -> None:
    assert reading(app) - endpoints(app, test_pages.PATHS) == set()
