"""The parts of configured URLs that are secret."""

import pytest

from aggregator.config import file, secrets

ENVIRON = {
    "TOKEN": "token-from-environment",
    "HOST": "feeds.example.org",
    "FULL": "https://feeds.example.org/u/0123456789abcdef/feed?key=in-the-query",
    "PIN": "1234",
}


@pytest.mark.parametrize(
    ("url", "filled", "private", "expected"),
    [
        ("https://a.example/feed?key=literal", (), False, set()),
        ("https://a.example/feed?key=literal&n=1", (), True, {"key=literal&n=1", "literal"}),
        ("https://a.example/feed", (), True, set()),
        ("https://ann:pass%20word@a.example/", (), False, {"pass word", "ann:pass%20word"}),
        ("https://api-token@a.example/", (), False, {"api-token"}),
        ("https://a.example/token-1/feed", ("token-1",), False, {"token-1"}),
        ("https://a.example/feed", ("a.example",), False, set()),
    ],
)
def test_secrets_of_a_url(
    url: str, filled: tuple[str, ...], private: bool, expected: set[str]
) -> None:
    assert set(secrets.of_url(url, filled, private=private)) == expected


def test_a_url_with_a_short_secret_is_masked_as_a_whole() -> None:
    url = "https://a.example/1234/feed"
    assert set(secrets.of_url(url, ("1234",))) == {url}


def test_a_url_from_the_environment_is_secret_with_the_parts_that_look_like_tokens() -> None:
    found = set(secrets.of_url(ENVIRON["FULL"], (ENVIRON["FULL"],)))
    assert found == {ENVIRON["FULL"], "0123456789abcdef", "in-the-query", "key=in-the-query"}


def test_secrets_of_a_configuration() -> None:
    text = """
network: {proxy: "http://ann:proxy-password@proxy.example:3128"}
sources:
  - {id: a, url: "https://${HOST}/${TOKEN}/feed"}
  - id: b
    url: https://b.example/feed
    headers: {Authorization: "Bearer ${TOKEN}-2", Accept: text/xml}
"""
    config = file.parse(text, "sources.yaml", ENVIRON)
    assert config.secrets == {
        "proxy-password",
        "ann:proxy-password",
        "token-from-environment",
    }
    assert "proxy-password" not in repr(config)
