"""Sources in feeds: without secrets, and with dates that only change with their entries."""

import pytest

from aggregator.models.config import Source
from aggregator.models.entry import Feed
from aggregator.store.sources import sources
from aggregator.web.feeds.build import public_url, source_info
from tests.web.conftest import FeedSite
from tests.web.sample_store import CONFIG

URL = "https://herald.example/feed"


@pytest.mark.parametrize(
    ("url", "yaml", "self_url", "shown"),
    [
        pytest.param(f"{URL}?id=1", f"url: {URL}?id=1", "", f"{URL}?id=1", id="written out"),
        pytest.param(f"{URL}?id=1", "url: >-\n  folded", "", f"{URL}?id=1", id="written otherwise"),
        pytest.param(
            f"{URL}?key=s3cret", f"url: {URL}?key=${{KEY}}", "", URL, id="from the environment"
        ),
        pytest.param(
            *(f"{URL}?key=s3cret", f"url: {URL}?key=${{KEY}}", f"{URL}/self", f"{URL}/self"),
            id="the feed has an address of its own",
        ),
        pytest.param(
            *("https://ann:s3cret@herald.example/feed?a=1", "", "", f"{URL}?a=1"), id="a password"
        ),
        pytest.param(
            "https://ann:s3cret@herald.example/feed",
            "",
            "https://ann:s3cret@herald.example/self",
            URL,
            id="a password in the feed's own address too",
        ),
        pytest.param(
            f"{URL}?a=1",
            f"url: {URL}?a=1\nheaders: {{Authorization: '${{TOKEN}}'}}",
            "",
            f"{URL}?a=1",
            id="only a header from the environment",
        ),
    ],
)
def test_secrets_in_a_url_are_not_shown(
    site: FeedSite, url: str, yaml: str, self_url: str, shown: str
) -> None:
    with site.sample.store.reading() as db:
        state = sources.get(db, "herald")
    assert state is not None
    state = state._replace(url=url, feed=Feed(self_url=self_url))
    assert public_url(state, Source(id="herald", url=url, yaml=yaml)) == shown


def test_the_query_of_a_removed_source_is_not_shown(site: FeedSite) -> None:
    with site.sample.store.reading() as db:
        state = sources.get(db, "herald")
    assert state is not None
    assert public_url(state._replace(url=f"{URL}?key=s3cret"), None) == URL


def test_a_source_without_a_title_shows_its_id(site: FeedSite) -> None:
    with site.sample.store.reading() as db:
        state = sources.get(db, "odd")
    assert state is not None
    info = source_info(state, CONFIG.sources[2], (), "https://site.example")
    assert info.title == "odd"
    assert info.page_url == "https://site.example/source/odd"
    assert info.updated is None
