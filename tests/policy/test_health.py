"""The health of a source: the worst of its problems is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aggregator.policy import health

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
WELL: dict[str, Any] = {
    "now": NOW,
    "failures": 0,
    "has_succeeded": True,
    "failing_since": None,
    "gone": False,
    "error": "",
    "waiting": "",
    "quarantine": "",
    "milliseconds": 200,
    "newest": NOW,
    "usual_gap": timedelta(hours=1),
}


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        pytest.param({}, "fine", "", id="nothing is wrong"),
        pytest.param({"has_succeeded": False}, "new", "", id="neither a success nor a failure"),
        pytest.param(
            {"has_succeeded": False, "failures": 1, "error": "x"},
            "failing",
            "x",
            id="the first failure of a source that never succeeded",
        ),
        pytest.param(
            {"failures": 1, "error": "x"}, "retrying", "x", id="one failure may be transient"
        ),
        pytest.param(
            {"failures": 2, "error": "x", "failing_since": NOW - timedelta(hours=23, minutes=59)},
            "retrying",
            "x",
            id="two failures within a day",
        ),
        pytest.param(
            {"failures": 2, "error": "x", "failing_since": NOW - timedelta(days=1)},
            "failing",
            "x",
            id="two failures in a day",
        ),
        pytest.param(
            {"failures": 1, "error": "x", "waiting": "w"},
            "failing",
            "x; w",
            id="one failure and a long Retry-After",
        ),
        pytest.param(
            {"failures": 1, "error": "x", "quarantine": "q"},
            "quarantined",
            "q",
            id="quarantined is worse than retrying",
        ),
        pytest.param(
            {"failures": 1, "error": "x", "newest": NOW - timedelta(days=99)},
            "retrying",
            "x",
            id="retrying is worse than silent",
        ),
        pytest.param(
            {"failures": 3, "error": "x"}, "failing", "x", id="three in a row are failing"
        ),
        pytest.param(
            {"gone": True, "failures": 9, "error": "x"},
            "gone",
            "x",
            id="gone is worse than failing",
        ),
        pytest.param(
            {"waiting": "w", "quarantine": "q"},
            "waiting",
            "w",
            id="waiting is worse than quarantined",
        ),
        pytest.param(
            {"waiting": "w", "failures": 3, "error": "x"},
            "failing",
            "x; w",
            id="failing is worse than waiting",
        ),
        pytest.param({"quarantine": "held"}, "quarantined", "held", id="entries are held back"),
        pytest.param(
            {"quarantine": "held", "failures": 3, "error": "x"},
            "failing",
            "x",
            id="failing is worse than quarantined",
        ),
        pytest.param(
            {"newest": NOW - timedelta(days=30)}, "fine", "", id="30 days without entries"
        ),
        pytest.param(
            {"newest": NOW - timedelta(days=31)},
            "silent",
            "no new entries since 27 May 2009",
            id="31 days",
        ),
        pytest.param(
            {"newest": NOW - timedelta(days=60), "usual_gap": timedelta(days=7)},
            "fine",
            "",
            id="60 days of a weekly feed",
        ),
        pytest.param(
            {"newest": NOW - timedelta(days=71), "usual_gap": timedelta(days=7)},
            "silent",
            "no new entries since 17 April 2009",
            id="71 days of a weekly feed",
        ),
        pytest.param({"newest": None, "usual_gap": None}, "fine", "", id="no entries yet"),
        pytest.param({"milliseconds": 10_001}, "slow", "last fetch took 10 s", id="a slow fetch"),
    ],
)
def test_assess(facts: dict[str, Any], state: str, words: str) -> None:
    assert health.assess(**WELL | facts) == health.Health(state=state, reason=words)


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        (None, ""),
        (NOW + timedelta(days=1), ""),
        (
            NOW + timedelta(days=1, seconds=1),
            "the server allows no request before 28 June 2009 21:26 UTC (Retry-After)",
        ),
    ],
)
def test_waiting_reason(gate: datetime | None, reason: str) -> None:
    assert health.waiting_reason(now=NOW, gate=gate, longest=timedelta(days=1)) == reason
