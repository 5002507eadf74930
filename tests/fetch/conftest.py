"""A client, and requests for it."""

from collections.abc import Callable, Iterator

import pytest

from aggregator.fetch.client import Client
from aggregator.models.config import Limits
from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome, Request

Fetch = Callable[..., FetchOutcome]


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(user_agent="feed-aggregator/test", allow=("127.0.0.0/8",))
    yield client
    client.close()


@pytest.fixture
def fetch(client: Client) -> Fetch:
    """Fetch one URL; keyword arguments are the request's."""

    def fetch(url: str, **request: object) -> FetchOutcome:
        return client.fetch_one(Request(source_id="a", url=url, **request))  # type: ignore[arg-type]

    return fetch


def fetched(outcome: FetchOutcome) -> Fetched:
    assert isinstance(outcome, Fetched), outcome
    return outcome


def failed(outcome: FetchOutcome, kind: FailureKind) -> Failed:
    assert isinstance(outcome, Failed), outcome
    assert outcome.kind is kind, outcome
    return outcome


SHORT = Limits(connect=2, idle=1, total=1.5, body=20_000, header=5_000, redirects=3)
