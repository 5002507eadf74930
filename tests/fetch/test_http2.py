"""HTTP/2, which servers offer by TLS: many transfers over one connection."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aggregator.fetch.client import Client
from aggregator.models.config import Limits, PerHost
from aggregator.models.poll import FailureKind, NotModified, Request, Validators
from tests.e2e.service import free_port
from tests.feedserver import certificate
from tests.fetch.conftest import failed, fetched

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs the `openssl` command to make a certificate"
)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("http2"))


@pytest.fixture(scope="module")
def server(pem: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.fetch.http2", str(port), str(pem)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield f"https://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def client(pem: Path) -> Iterator[Client]:
    client = Client(
        user_agent="t", allow=("127.0.0.0/8",), tls_ca=str(pem), per_host=PerHost(connections=2)
    )
    yield client
    client.close()


def test_a_server_that_speaks_http_2_gets_http_2_requests(server: str, client: Client) -> None:
    answer = fetched(client.fetch_one(Request(source_id="a", url=f"{server}/feed")))
    assert answer.body == b"<rss>HTTP/2</rss>"
    assert (answer.transfer.status, answer.validators.etag) == (200, '"1"')


def test_a_304_by_http_2(server: str, client: Client) -> None:
    url = f"{server}/feed"
    known = Request(source_id="a", url=url, validators=Validators(etag='"1"'), validators_url=url)
    assert isinstance(client.fetch_one(known), NotModified)


def test_many_feeds_of_one_host_by_http_2(server: str, client: Client) -> None:
    requests = [Request(source_id=str(n), url=f"{server}/feed/{n}") for n in range(40)]
    outcomes = {request.source_id: fetched(outcome) for request, outcome in client.fetch(requests)}
    assert len(outcomes) == 40
    assert {outcome.body for outcome in outcomes.values()} == {b"<rss>HTTP/2</rss>"}


def test_a_slow_response_does_not_delay_others_on_its_connection(
    server: str, client: Client
) -> None:
    slow = Request(source_id="slow", url=f"{server}/slow", limits=Limits(total=3))
    quick = [Request(source_id=str(n), url=f"{server}/feed/{n}") for n in range(10)]
    ended = [(request.source_id, outcome) for request, outcome in client.fetch([slow, *quick])]
    assert ended[-1][0] == "slow"
    failed(ended[-1][1], FailureKind.TIMEOUT)
    assert all(fetched(outcome).transfer.seconds < 3 for _, outcome in ended[:-1])
