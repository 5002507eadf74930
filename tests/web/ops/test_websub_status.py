"""The state of WebSub: its page, metrics, and text for each source."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.store.websub import delivery_log, subscribers, subscriptions, verification_queue
from aggregator.store.websub.delivery_log import Delivery
from tests.web.pages.test_pages import PageSite
from tests.web.sample_store import ASKED, START, SampleStore, open_sample


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path) as sample:
        yield PageSite(sample)


def fill(sample: SampleStore) -> None:
    with sample.store.transaction() as db:
        subscriptions.add(db, ASKED)
        for callback in ("https://reader.example/secret-path", "https://other.example/x"):
            topic = "https://site.example/feeds/all.atom?token=their-token"
            verification_queue.add(
                db,
                topic=topic,
                callback=callback,
                host="reader.example",
                mode="subscribe",
                secret="their-secret",
                lease=timedelta(days=9_000),
                now=START,
            )
            [pending] = verification_queue.due(db, START, 9)
            subscribers.add(db, pending, "reader.example", 0, START)
            verification_queue.remove(db, pending.id)
            line = Delivery(at=START, kind="push", topic=topic, callback=callback, detail="no way")
            delivery_log.add(db, [line])


def test_page_shows_subscriptions_and_subscribers_without_secrets(site: PageSite) -> None:
    fill(site.sample)
    page = site.text("/status/websub")
    for shown in ("herald", "hub.example", "/feeds/all.atom", "reader.example", "no way"):
        assert shown in page
    assert "https://site.example/hub" in page
    assert "has 2 subscribers" in page
    for secret in ("our-token", "our-secret", "their", "secret-path"):
        assert secret not in page


def test_page_shows_the_host_of_unusual_callbacks(site: PageSite) -> None:
    line = Delivery(at=START, kind="subscribe", topic="", callback="https://odd.example\\[x")
    with site.sample.store.transaction() as db:
        delivery_log.add(db, [line])
    assert "<td>odd.example</td>" in site.text("/status/websub")


def test_source_page_and_json_show_the_websub_state(site: PageSite) -> None:
    assert "<dt>WebSub</dt><dd>not offered</dd>" in site.text("/source/herald")
    status = site.get("/status.json").get_json()
    assert {source["push"] for source in status["sources"]} == {"not offered"}


def test_metrics_count_subscriptions_and_subscribers(site: PageSite) -> None:
    fill(site.sample)
    metrics = site.text("/metrics")
    for line in (
        'aggregator_websub_subscriptions{state="asked"} 1.0',
        "aggregator_websub_subscribers 2.0",
        "aggregator_websub_inbox 0.0",
    ):
        assert f"\n{line}\n" in metrics
