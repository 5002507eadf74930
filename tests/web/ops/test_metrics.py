"""The metrics for Prometheus."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.store.sources import poll_histograms, poll_log, sources
from aggregator.web.ops import metrics as metrics_page
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import START

__all__ = ["pages"]


def read_metrics(pages: PageSite) -> dict[str, float]:
    return {
        f"{sample.name}{''.join(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(pages.text("/metrics"))
        for sample in family.samples
    }


def poll(
    pages: PageSite,
    at: datetime,
    outcome: str,
    *,
    number: int = 1,
    milliseconds: int = 5,
    received: int = 1000,
) -> None:
    row = poll_log.PollRow(
        source_id="herald",
        at=at,
        outcome=outcome,
        status=200,
        milliseconds=milliseconds,
        bytes=received,
        conditional=True,
        new=2,
        changed=1,
        detail="",
        next_poll=at,
        reason="",
    )
    with pages.sample.store.transaction() as db:
        poll_log.add(db, [(row, number, 70)])
        poll_histograms.add(db, [row])


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


def test_polls_are_counted_by_duration_and_size(pages: PageSite) -> None:
    for number, (milliseconds, received) in enumerate(
        ((50, 0), (51, 1), (60_000, 4_000_000), (60_001, 4_000_001))
    ):
        poll(pages, START, "ok", number=number, milliseconds=milliseconds, received=received)
    metrics = read_metrics(pages)
    name = "aggregator_poll_duration_seconds"
    counts = [metrics[f"{name}_bucket{bound}"] for bound in ("0.05", "0.1", "60.0", "+Inf")]
    assert counts == [1, 2, 3, 4]
    assert metrics[f"{name}_count"] == 4
    assert metrics[f"{name}_sum"] == pytest.approx(120.102)
    name = "aggregator_poll_received_size_bytes"
    counts = [metrics[f"{name}_bucket{bound}"] for bound in ("0.0", "1000.0", "4000000.0", "+Inf")]
    assert counts == [1, 2, 3, 4]
    assert metrics[f"{name}_sum"] == 8_000_002


def test_each_source_has_its_series(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        sources.update_many(db, {"herald": {"health": "failing", "failures": 4, "last_ok": START}})
    metrics = read_metrics(pages)
    assert metrics["aggregator_source_healthfailingherald"] == 1
    assert metrics["aggregator_source_failuresherald"] == 4
    assert metrics["aggregator_source_last_success_timestamp_secondsherald"] == START.timestamp()
    assert metrics["aggregator_source_last_success_timestamp_secondspost"] == 0
    assert metrics["aggregator_sources_without_series"] == 0


@pytest.mark.parametrize(("limit", "without"), [(2, 1), (3, 0)])
def test_only_the_unhealthiest_sources_have_series(
    pages: PageSite, monkeypatch: pytest.MonkeyPatch, limit: int, without: int
) -> None:
    monkeypatch.setattr(metrics_page, "MAX_SOURCES", limit)
    with pages.sample.store.transaction() as db:
        sources.update_many(db, {"post": {"health": "failing"}})
    metrics = read_metrics(pages)
    assert metrics["aggregator_sources_without_series"] == without
    assert "aggregator_source_healthfailingpost" in metrics
    assert sum("source_health" in name for name in metrics) == limit


def test_requests_are_counted_by_route_and_status(pages: PageSite) -> None:
    pages.get("/")
    etag = pages.get("/feeds/all.atom").headers["ETag"]
    for _ in range(3):  # the last two come from the cache
        assert pages.get("/feeds/all.atom", If_None_Match=etag).status_code == 304
    pages.get("/no-such-page")
    metrics = read_metrics(pages)
    requests = "aggregator_http_requests_total"
    assert metrics[f"{requests}/200"] == 1
    assert metrics[f"{requests}/feeds200"] == 1
    assert metrics[f"{requests}/feeds304"] == 3
    assert metrics[f"{requests}other404"] == 1
    duration = "aggregator_http_request_duration_seconds"
    assert metrics[f"{duration}_count/"] == 1
    assert 1 <= metrics[f"{duration}_count/feeds"] < 4
    assert metrics[f"{duration}_bucket+Infother"] == 1


def test_database_size_and_free_space(pages: PageSite, tmp_path: Path) -> None:
    poll(pages, START, "ok")
    metrics = read_metrics(pages)
    [database], [wal] = tmp_path.glob("*.db"), tmp_path.glob("*.db-wal")
    assert metrics["aggregator_database_size_bytesdatabase"] == database.stat().st_size > 0
    assert metrics["aggregator_database_size_byteswal"] == wal.stat().st_size > 0
    assert metrics["aggregator_disk_free_bytes"] > 0
