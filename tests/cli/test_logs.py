"""Log lines carry no secret, wherever in the record it stands."""

import logging
from collections.abc import Iterator

import pytest

from aggregator.cli import logs, masked


@pytest.fixture
def secret() -> Iterator[str]:
    masked.hide(["token-of-a-source"])
    yield "token-of-a-source"
    masked.hide([])


def test_arguments_and_tracebacks_are_masked(secret: str) -> None:
    try:
        raise ValueError(f"https://a.example/{secret}")
    except ValueError as error:
        record = logging.LogRecord(
            "aggregator", logging.ERROR, __file__, 1, "event=x url=%r", (secret,), None
        )
        record.exc_info = (type(error), error, error.__traceback__)
    text = logs.MaskingFormatter().format(record)
    assert "event=x url='***'" in text
    assert "ValueError: https://a.example/***" in text
    assert secret not in text


def test_a_new_configuration_has_new_secrets(secret: str) -> None:
    record = logging.LogRecord("aggregator", logging.INFO, __file__, 1, "%s", ("another",), None)
    assert logs.MaskingFormatter().format(record).endswith("another")
    masked.hide(["another"])
    assert logs.MaskingFormatter().format(record).endswith("***")
