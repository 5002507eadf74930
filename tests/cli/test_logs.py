"""Log lines contain no secret from any part of the record."""

import json
import logging
import re
import subprocess
import sys
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
    text = logs.TextFormatter().format(record)
    assert "event=x url='***'" in text
    assert "ValueError: https://a.example/***" in text
    assert secret not in text


def test_a_new_configuration_has_new_secrets(secret: str) -> None:
    record = logging.LogRecord("aggregator", logging.INFO, __file__, 1, "%s", ("another",), None)
    assert logs.TextFormatter().format(record).endswith("another")
    masked.hide(["another"])
    assert logs.TextFormatter().format(record).endswith("***")


def record(message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("aggregator", logging.WARNING, __file__, 1, message, values, None)


def test_lines_begin_with_the_time_in_utc() -> None:
    line = record("event=x")
    line.created, line.msecs = 1246137960.5, 500
    assert logs.TextFormatter().format(line) == "2009-06-27T21:26:00.500Z WARNING event=x"
    assert json.loads(logs.JsonFormatter().format(line))["time"] == "2009-06-27T21:26:00.500Z"


def test_json_has_a_member_for_each_field(secret: str) -> None:
    line = record("event=poll source=%s new=%d detail=%r", "a", 3, f'a "quote" of {secret}')
    values = json.loads(logs.JsonFormatter().format(line))
    del values["time"]
    assert values == {
        "level": "warning", "event": "poll", "source": "a", "new": 3,
        "detail": 'a "quote" of ***',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "values", "text"),
    [
        ("a sentence", (), "a sentence"),
        ("a=%s of %s", (1, 2), "a=1 of 2"),
        ("a=%s/%s", (1, 2), "a=1/2"),
    ],
)
def test_json_of_another_message_is_the_message(
    message: str, values: tuple[object, ...], text: str
) -> None:
    assert json.loads(logs.JsonFormatter().format(record(message, *values)))["message"] == text


LOGGING = (
    "import logging; from aggregator.cli import logs; logs.start(level={!r});"
    "log = logging.getLogger('aggregator');"
    "log.debug('event=nothing_new'); log.info('event=news'); log.warning('event=trouble');"
    "logging.getLogger('library').debug('event=library')"
)


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("quiet", ["trouble"]),
        ("normal", ["news", "trouble"]),
        ("verbose", ["nothing_new", "news", "trouble"]),
        ("everything", ["nothing_new", "news", "trouble", "library"]),
    ],
)
def test_levels(level: str, events: list[str]) -> None:
    code = LOGGING.format(level)
    log = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert re.findall("event=([a-z_]+)", log) == events
