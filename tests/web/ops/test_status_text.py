"""Messages of the status page."""

import json

from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from tests.web.pages.test_pages import PageSite, pages

__all__ = ["pages"]


def test_status_says_why_a_running_scheduler_does_not_poll(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(pages.now))
        metadata.put(db, "shortage", "the cluster has <no> worker")
    assert "Polling is paused: the cluster has &lt;no&gt; worker." in pages.text("/status")
    status = json.loads(pages.text("/status.json"))["scheduler"]
    assert (status["alive"], status["shortage"]) == (True, "the cluster has <no> worker")
