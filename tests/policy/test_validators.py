"""When conditional requests to a server stop."""

import pytest

from aggregator.policy.validators import REFUSED_TIMES, count_refusals


@pytest.mark.parametrize(
    ("known", "status", "conditional", "has_wait", "count"),
    [
        pytest.param(0, 500, True, False, 1, id="an error"),
        pytest.param(1, 500, True, False, 2, id="another"),
        pytest.param(0, 412, True, False, REFUSED_TIMES, id="412 says so"),
        pytest.param(0, 400, True, False, 1, id="400"),
        pytest.param(0, 403, True, False, 1, id="403"),
        pytest.param(0, 404, True, False, 0, id="404 is about the feed"),
        pytest.param(0, 429, True, False, 0, id="429 is about the rate"),
        pytest.param(0, 503, True, True, 0, id="a Retry-After explains it"),
        pytest.param(0, 0, True, False, 0, id="no response"),
        pytest.param(1, 0, True, False, 1, id="no response proves nothing"),
        pytest.param(1, 200, False, False, 1, id="a success without validators"),
        pytest.param(1, 304, True, False, 0, id="a success with validators"),
        pytest.param(1, 200, True, False, 0, id="a new document despite validators"),
        pytest.param(1, 500, False, False, 0, id="an error without validators"),
        pytest.param(REFUSED_TIMES, 500, False, False, REFUSED_TIMES, id="settled"),
    ],
)
def test_refusals_are_counted(
    known: int, status: int, conditional: bool, has_wait: bool, count: int
) -> None:
    found = count_refusals(known, status, conditional=conditional, has_wait=has_wait)
    assert found == count
