"""Secrets are masked in every encoding that the program outputs."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.config import SHORTEST_SECRET
from aggregator.policy.masking import CHUNK, MASK, Masker

SECRET = 's3/cr+t&"é"'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").lower(),
        quote(SECRET, safe="/+&"),
        html.escape(SECRET),
        SECRET.replace("&", "&amp;"),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("/", "\\/"),
    ],
)
def test_every_encoding_is_masked(text: str) -> None:
    masked = Masker([SECRET]).text(f"before {text} after")
    assert masked.replace('"', "") == f"before {MASK} after"


@given(st.lists(st.text(min_size=SHORTEST_SECRET, max_size=20), min_size=1, max_size=5), st.text())
def test_no_secret_is_left(secrets: list[str], text: str) -> None:
    masker = Masker(secrets)
    masked = masker.text(text.join(["", *secrets, ""]))
    assert not any(secret in masked.replace(MASK, "\0") for secret in secrets)


def test_short_secrets_also_occur_in_ordinary_text() -> None:
    short, long = "x" * (SHORTEST_SECRET - 1), "y" * SHORTEST_SECRET
    assert Masker([short, long]).text(f"{short} {long}") == f"{short} {MASK}"


def test_a_longer_secret_is_masked_before_its_own_beginning() -> None:
    assert Masker(["tokens", "tokens-more"]).text("tokens-more") == MASK


def test_more_secrets_than_one_expression_holds() -> None:
    masker = Masker(f"secret-{number:05}" for number in range(CHUNK + 1))
    assert masker.text(f"secret-00000 secret-{CHUNK:05} other") == f"{MASK} {MASK} other"


def test_without_secrets_a_body_is_returned_as_it_is() -> None:
    body = b"\xff not UTF-8"
    assert Masker([]).body(body) is body
