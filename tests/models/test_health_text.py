"""The words for failures."""

import pytest

from aggregator.models import health_text
from aggregator.models.poll import FailureKind


@pytest.mark.parametrize(
    ("kind", "code", "detail", "words"),
    [
        ("http_status", 404, "", "404 Not Found"),
        ("http_status", 503, "", "503 Service Unavailable"),
        ("http_status", 999, "", "status 999"),
        ("http_status", 0, "", "HTTP error"),
        ("gone", 410, "", "410 Gone"),
        ("rate_limited", 429, "", "429 Too Many Requests"),
        ("dns", 0, "", "can't find the host (DNS)"),
        ("timeout", 200, "", "timed out"),
        ("tls", 0, "certificate has expired", "certificate expired"),
        ("tls", 0, "self-signed certificate in certificate chain", "certificate is self-signed"),
        ("tls", 0, "no alternative name matches", "certificate is for another host"),
        ("tls", 0, "unable to get local issuer", "certificate's issuer is unknown"),
        ("tls", 0, "wrong version number", "the TLS connection failed"),
        ("not_modified", 304, "", "304 Not Modified"),
        ("equal", 200, "", "same document"),
        ("ok", 200, "", "fetched"),
        ("of_a_later_version", 0, "", "of a later version"),
    ],
)
def test_outcomes_are_shown_in_words(kind: str, code: int, detail: str, words: str) -> None:
    assert health_text.outcome(kind, code, detail) == words


@pytest.mark.parametrize("kind", FailureKind)
def test_each_kind_of_failure_has_words_of_its_own(kind: FailureKind) -> None:
    words = health_text.failure(kind)
    assert "_" not in words
    others = [health_text.failure(other) for other in FailureKind if other is not kind]
    assert words not in others
