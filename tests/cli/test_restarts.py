"""The pauses between the restarts of a web server."""

import pytest

from aggregator.cli.restarts import next_pause


@pytest.mark.parametrize(
    ("pause", "lived", "expected"),
    [
        pytest.param(0, 0.1, 2, id="the first death"),
        pytest.param(2, 0.1, 4, id="the second, at once"),
        pytest.param(2, 59.9, 4, id="the second, just before it was sound"),
        pytest.param(32, 60, 2, id="a sound server"),
        pytest.param(32, 0.1, 60, id="the longest pause"),
        pytest.param(60, 0.1, 60, id="no longer one"),
    ],
)
def test_pause_before_the_next_start(pause: float, lived: float, expected: float) -> None:
    assert next_pause(pause, lived) == expected
