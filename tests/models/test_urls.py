"""The parts of URLs on which several stages agree."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.urls import as_uri, host_of, origin_of, public_name, server_url


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
    ("url", "name"),
    [
        ("https://news.example:8443/planet", "news.example"),
        ("https://\u043d\u043e\u0432\u043e\u0441\u0442\u0438.example", "xn--b1amnebsh.example"),
        ("http://127.0.0.1:8000", ""),
        ("http://192.168.1.7:8000", ""),
        ("http://[fd00::1]:8000", ""),
        ("http://localhost:8000", ""),
        ("http://news.localhost", ""),
        ("http://nas", ""),
        ("", ""),
    ],
)
def test_public_name(url: str, name: str) -> None:
    assert public_name(url) == name


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8000, "http://127.0.0.1:8000"),
        ("127.0.0.1", 80, "http://127.0.0.1"),
        ("::1", 8000, "http://[::1]:8000"),
        ("Localhost", 8000, "http://localhost:8000"),
        ("0.0.0.0", 8000, ""),
        ("::", 8000, ""),
    ],
)
def test_server_url(host: str, port: int, url: str) -> None:
    assert server_url(host, port) == url


# --- URIs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://a.example/b?c=d&e=%2F#f", None),
        ("https://user@a.example:8443/~b/(c)/d;e,f!g*h'i", None),
        ("http://[fd00::7]:8080/a", None),
        ("tag:a.example,2009:b", None),
        ("https://a.example/b|c", "https://a.example/b%7Cc"),
        ("https://a.example/?q={a}^[b]`c", "https://a.example/?q=%7Ba%7D%5E%5Bb%5D%60c"),
        ("http://[fd00::7]/a[1]", "http://[fd00::7]/a%5B1%5D"),
        ("https://müller.example/straße?ö=ü", "https://xn--mller-kva.example/stra%C3%9Fe?%C3%B6=%C3%BC"),
        ("https://a.example/a b<c>\"", "https://a.example/a%20b%3Cc%3E%22"),
        ("no address", "no%20address"),
        ("https://[", "https://%5B"),
        ("https://a.example/\ud800", "https://a.example/"),
    ],
)  # fmt: skip
def test_a_url_in_the_characters_of_uris(url: str, uri: str | None) -> None:
    assert as_uri(url) == (uri or url)
    assert as_uri(as_uri(url)) == as_uri(url)


@given(st.text(max_size=40))
def test_any_text_gives_characters_of_uris(text: str) -> None:
    found = as_uri(f"https://a.example/{text}")
    assert re.fullmatch(r"https://a\.example/[A-Za-z0-9;/?:@&=+$._!~*'(),#%-]*", found)
    assert as_uri(found) == found
