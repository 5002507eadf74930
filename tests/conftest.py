"""Fixtures that every test may use."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.feedserver import FeedServer

# A slow example on a busy machine is no fault of the property.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--corpus", help="folder of real feed documents, for the tests that want one")
    parser.addoption(
        "--feedweb", help="program that serves --corpus as feeds, for the test of both"
    )
    parser.addoption("--kills", type=int, default=6, help="how often a process is killed")
    parser.addoption("--image", action="store_true", help="build the image and try it, as root")
    parser.addoption("--slow", action="store_true", help="run the tests that take a minute, too")


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """The level of our log, which `aggregator poll` in this process lowers, as it was before."""
    logger = logging.getLogger("aggregator")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def now() -> datetime:
    """A fixed time: 21:26 GMT on Saturday, 27 June 2009."""
    return datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


@pytest.fixture
def corpus(request: pytest.FixtureRequest) -> Path:
    folder = request.config.getoption("--corpus")
    if not folder:
        pytest.skip("give --corpus DIR, a folder of feed documents, to run this")
    return Path(folder)


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    """A web server on loopback; the test sets its responses."""
    with FeedServer() as server:
        yield server
