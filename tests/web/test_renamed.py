"""The addresses of a source that was renamed lead to those of its present id."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.formats.table import ENDINGS
from aggregator.store.sources import sync
from aggregator.web.app import create_app
from tests.web.sample_store import CONFIG, open_sample


@pytest.fixture(params=["", "/news"], ids=["at the root", "on a sub-path"])
def renamed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Client, str]]:
    """Yield a client of a site whose source `herald` became `tribune`, and the site's prefix."""
    base = f"https://site.example{request.param}"
    with open_sample(tmp_path) as sample:
        sample.add("herald", 2)
        sources = tuple(
            replace(source, id="tribune") if source.id == "herald" else source
            for source in CONFIG.sources
        )
        config = replace(CONFIG, sources=sources, site=replace(CONFIG.site, base_url=base))
        with sample.store.transaction() as db:
            sync.apply(db, sources, now=sample.now, first_polls={})
        app = create_app(lambda: config, sample.store, clock=lambda: sample.now)
        yield Client(app.wsgi_app), request.param


@pytest.mark.parametrize(
    "path",
    [
        "/source/{}",
        "/source/{}?before=1",
        "/feeds/source/{}/archive/1.atom",
        *(f"/feeds/source/{{}}.{ending}?limit=5" for ending in ENDINGS),
    ],
)
def test_an_old_address_redirects_for_good(renamed: tuple[Client, str], path: str) -> None:
    client, prefix = renamed
    response = client.get(prefix + path.format("herald"))
    assert response.status_code == 301
    assert response.headers["Location"] == prefix + path.format("tribune")


def test_the_new_addresses_show_the_entries(renamed: tuple[Client, str]) -> None:
    client, prefix = renamed
    assert client.get(f"{prefix}/source/tribune").status_code == 200
    feed = client.get(f"{prefix}/feeds/source/tribune.json").get_json()
    assert len(feed["items"]) == 2


def test_an_id_that_never_was_is_not_found(renamed: tuple[Client, str]) -> None:
    client, prefix = renamed
    assert client.get(f"{prefix}/source/courier").status_code == 404
    assert client.get(f"{prefix}/feeds/source/courier.atom").status_code == 404
