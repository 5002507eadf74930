"""The metrics for Prometheus."""

from datetime import datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.store.sources import poll_log
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import START

__all__ = ["pages"]


def read_metrics(pages: PageSite) -> dict[str, float]:
    return {
        f"{sample.name}{''.join(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(pages.text("/metrics"))
        for sample in family.samples
    }


def poll(pages: PageSite, at: datetime, outcome: str, *, number: int = 1) -> None:
    row = poll_log.PollRow(
        source_id="herald",
        at=at,
        outcome=outcome,
        status=200,
        milliseconds=5,
        bytes=1000,
        conditional=True,
        new=2,
        changed=1,
        detail="",
        next_poll=at,
        reason="",
    )
    with pages.sample.store.transaction() as db:
        poll_log.add(db, [(row, number, 70)])


def test_polls_are_counted_by_outcome(pages: PageSite) -> None:
    for number, outcome in enumerate(("ok", "ok", "not_modified", "equal", "timeout")):
        poll(pages, START, outcome, number=number)
    metrics = read_metrics(pages)
    assert {key: value for key, value in metrics.items() if "polls" in key} == {
        "aggregator_polls_totalfetched": 2,
        "aggregator_polls_totalnot_modified": 1,
        "aggregator_polls_totalequal": 1,
        "aggregator_polls_totalfailed": 1,
    }
    assert metrics["aggregator_received_bytes_total"] == 5000
    assert metrics["aggregator_saved_bytes_total"] == 350
    assert metrics["aggregator_new_entries_total"] == 10


def test_counters_never_shrink(pages: PageSite) -> None:
    poll(pages, START, "ok")
    for days in (1, 500, 501, 1000):
        before = read_metrics(pages)["aggregator_polls_totalfetched"]
        poll(pages, START + timedelta(days=days), "ok")
        with pages.sample.store.transaction() as db:
            poll_log.forget(db, START + timedelta(days=days))
        assert read_metrics(pages)["aggregator_polls_totalfetched"] == before + 1
    with pages.sample.store.reading() as db:
        assert poll_log.totals(db, START).polls == 1  # the sum of deleted hours belongs to no day


def test_sources_are_counted_by_health(pages: PageSite) -> None:
    assert read_metrics(pages)["aggregator_sourcesnew"] == 3


def test_last_tick_and_config_error(pages: PageSite) -> None:
    metrics = read_metrics(pages)
    assert metrics["aggregator_last_tick_timestamp_seconds"] == 0
    assert metrics["aggregator_config_error"] == 0
    with pages.sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(START))
        metadata.put(db, "config_error", "line 1: no")
    metrics = read_metrics(pages)
    assert metrics["aggregator_last_tick_timestamp_seconds"] == START.timestamp()
    assert metrics["aggregator_config_error"] == 1
