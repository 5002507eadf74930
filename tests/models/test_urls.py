"""The parts of URLs on which several stages agree."""

import pytest

from aggregator.models.urls import host_of, origin_of, tag_authority


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://Example.ORG:8080/a", "example.org"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://[::FFFF:127.0.0.1]/", "::ffff:7f00:1"),
        ("http://me:secret@example.org/", "example.org"),
        ("file:///etc/passwd", ""),
        ("no URL", ""),
        ("https://\ud800.example/", ""),
    ],
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://me:secret@Example.ORG:80/a?b#c", "http://example.org"),
        ("https://example.org:8443/", "https://example.org:8443"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("file:///etc/passwd", ""),
        ("no URL", ""),
        ("https://\ud800.example/", ""),
    ],
)
def test_origin_of(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("base_url", "authority"),
    [
        ("https://news.example:8443/planet", "news.example"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("http://[::1]:8000", "localhost"),
        ("", "localhost"),
    ],
)
def test_tag_authority(base_url: str, authority: str) -> None:
    assert tag_authority(base_url) == authority
