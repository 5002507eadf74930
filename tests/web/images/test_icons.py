"""Icons of sources are served for good, and stand beside the names of sources."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.models.config import Media
from tests.web.pages.test_pages import SITE, PageSite
from tests.web.sample_store import ICON, make_entry, open_sample

TAG = '<img class="favicon" src="/icon/{}.png" alt="" width="16" height="16" loading="lazy">'


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path, SITE) as sample:
        sample.add("herald", 4)
        yield PageSite(sample)


def test_an_icon_is_served_as_immutable(pages: PageSite) -> None:
    hash = pages.sample.give_icon("herald")
    answer = pages.get(f"/icon/{hash}.png")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, ICON, "image/png")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["ETag"] == f'"{hash}"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    again = pages.client.get(f"/icon/{hash}.png", headers={"If-None-Match": f'"{hash}"'})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/icon/.png", "/icon/0123.png", "/icon/..%2Fx.png", "/icon/x"])
def test_other_icons_are_not_found(pages: PageSite, path: str) -> None:
    pages.sample.give_icon("herald")
    assert pages.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/stories", "/section/world", "/source/herald", "/entry/1", "/status",
             "/corrections", "/search?q=rain"],
)  # fmt: skip
def test_the_icon_stands_beside_the_name(pages: PageSite, path: str) -> None:
    pages.sample.revise(1, "Another headline")
    assert "favicon" not in re.sub(r'"[^"]*favicon\.ico[^"]*"', "", pages.text(path).replace(
        '<span class="favicon"></span>', ""))  # fmt: skip
    tag = TAG.format(pages.sample.give_icon("herald"))
    assert f"{tag}Herald" in pages.text(path)


def test_a_new_icon_changes_the_page(pages: PageSite) -> None:
    etag = pages.get("/").headers["ETag"]
    assert pages.client.get("/", headers={"If-None-Match": etag}).status_code == 304
    pages.sample.give_icon("herald")
    changed = pages.client.get("/", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    pages.sample.give_icon("herald")  # the same one again
    etag = changed.headers["ETag"]
    assert pages.client.get("/", headers={"If-None-Match": etag}).status_code == 304


def test_the_icons_of_other_reports_are_shown(pages: PageSite) -> None:
    for number, source in enumerate(("herald", "post"), 50):
        entry = replace(make_entry(number), title="The ferry Ida is aground off Skerrow again")
        pages.sample.put(source, entry)
    tags = [TAG.format(pages.sample.give_icon(source)) for source in ("herald", "post")]
    page = pages.text("/section/world")
    assert "Also: " in page
    assert all(
        f"{tag}{name}</a>" in page for tag, name in zip(tags, ("Herald", "Post"), strict=True)
    )


def test_names_in_a_column_keep_the_place(pages: PageSite) -> None:
    for path in ("/status", "/section/world"):
        assert '<span class="favicon"></span>Post' in pages.text(path)


def test_icons_can_be_switched_off(pages: PageSite) -> None:
    pages.sample.give_icon("herald")
    pages.sample.config = replace(SITE, media=Media(icons=False))
    for path in ("/", "/status"):
        assert "/icon/" not in pages.text(path)
        assert 'class="favicon"' not in pages.text(path)
