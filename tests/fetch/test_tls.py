"""TLS, with a certificate made for the test."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.fetch.client import Client
from aggregator.models.config import Limits
from aggregator.models.poll import FailureKind, Request
from tests.feedserver import HOSTS, FeedServer, certificate
from tests.fetch.conftest import Fetch, failed, fetched

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs the `openssl` command to make a certificate"
)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(pem: Path) -> Iterator[FeedServer]:
    with FeedServer(certificate=pem) as server:
        yield server


@pytest.fixture
def trusting(pem: Path) -> Iterator[Client]:
    client = Client(user_agent="t", allow=("127.0.0.0/8", "localhost"), tls_ca=str(pem))
    yield client
    client.close()


@pytest.mark.parametrize("host", [*HOSTS[:2], "localhost"])
def test_a_trusted_certificate_is_accepted(host: str, secure: FeedServer, trusting: Client) -> None:
    secure.feed("/feed", b"<rss/>")
    url = secure.url("/feed", host)
    assert fetched(trusting.fetch_one(Request(source_id="a", url=url))).body == b"<rss/>"


def test_an_unknown_certificate_is_refused(secure: FeedServer, fetch: Fetch) -> None:
    outcome = failed(fetch(secure.url("/feed")), FailureKind.TLS)
    assert ": certificate is self-signed (" in outcome.detail
    assert secure.requests == []


def test_an_expired_certificate_is_named(tmp_path: Path) -> None:
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = "req -new -newkey rsa:2048 -nodes -subj /CN=t -addext subjectAltName=IP:127.0.0.1"
    sign = f"x509 -req -in {tmp_path}/csr -signkey {key} -copy_extensions copy -out {pem}"

    def openssl(command: str) -> bool:
        return not subprocess.run(["openssl", *command.split()], capture_output=True).returncode

    assert openssl(f"{request} -keyout {key} -out {tmp_path}/csr")
    past = "-not_before 20200101000000Z -not_after 20200102000000Z"  # OpenSSL 3.4 and later
    assert openssl(f"{sign} {past}") or openssl(f"{sign} -days -1")
    pem.write_bytes(key.read_bytes() + pem.read_bytes())
    client = Client(user_agent="t", allow=("127.0.0.0/8",), tls_ca=str(pem))
    with FeedServer(certificate=pem) as server:
        outcome = client.fetch_one(Request(source_id="a", url=server.url("/feed")))
    client.close()
    assert ": certificate expired (" in failed(outcome, FailureKind.TLS).detail


def test_a_certificate_for_another_host_is_refused(secure: FeedServer, trusting: Client) -> None:
    url = secure.url("/feed").replace("127.0.0.1", "127.0.0.1.nip.invalid")
    failed(trusting.fetch_one(Request(source_id="a", url=url)), FailureKind.DNS)
    failed(
        trusting.fetch_one(Request(source_id="a", url=secure.url("/feed", "[::ffff:127.0.0.1]"))),
        FailureKind.TLS,
    )
    assert secure.requests == []


def test_a_server_without_tls_is_a_tls_failure(fetch: Fetch) -> None:
    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4_096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=answer, args=(plain,))
        thread.start()
        failed(fetch(f"https://127.0.0.1:{plain.getsockname()[1]}/"), FailureKind.TLS)
        thread.join()


def test_never_from_https_to_http(
    secure: FeedServer, feed_server: FeedServer, trusting: Client
) -> None:
    secure.redirect("/old", feed_server.url("/new"))
    outcome = trusting.fetch_one(Request(source_id="a", url=secure.url("/old")))
    assert "from https to http://" in failed(outcome, FailureKind.REFUSED_SCHEME).detail
    assert feed_server.requests == []


@pytest.mark.parametrize(("host", "is_sent"), [(HOSTS[0], True), (HOSTS[1], False)])
def test_secrets_follow_to_https_on_the_same_host_only(
    secure: FeedServer, feed_server: FeedServer, trusting: Client, host: str, is_sent: bool
) -> None:
    feed_server.redirect("/old", secure.url("/new", host))
    secure.feed("/new", b"<rss/>")
    url = feed_server.url("/old").replace("//", "//user:secret@")
    fetched(trusting.fetch_one(Request(source_id="a", url=url, headers={"X-Key": "s"})))
    sent = {"authorization", "x-key"} & set(secure.requests[0].headers)
    assert bool(sent) == is_sent


def test_a_handshake_that_never_ends_is_ended(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        outcome = failed(fetch(url, limits=Limits(connect=0.3)), FailureKind.TIMEOUT)
    assert "limit `connect`" in outcome.detail
