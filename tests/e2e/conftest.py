"""Fixtures of the tests that run the service in separate processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service in an empty folder; all its processes are ended after the test."""
    made = Service(tmp_path)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a process of the service is killed."""
    return int(request.config.getoption("--kills"))


@pytest.fixture
def slow(request: pytest.FixtureRequest) -> None:
    """Skip a test that takes a minute, unless it was requested."""
    if not request.config.getoption("--slow"):
        pytest.skip("takes a minute: give --slow to run this")
