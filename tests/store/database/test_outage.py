"""A failing database is logged once per reason."""

import pytest

from aggregator.errors import StoreError
from aggregator.store.database.outage import OutageLog


def test_each_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    outage = OutageLog()
    for reason in ("full", "full", "locked", "locked"):
        outage.report(StoreError(reason))
    assert caplog.messages == [
        "event=store_failed error='full'",
        "event=store_failed error='locked'",
    ]


def test_a_second_outage_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    outage = OutageLog()
    outage.report(StoreError("full"))
    outage.end()
    outage.report(StoreError("full"))
    assert len(caplog.messages) == 2
