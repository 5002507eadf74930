"""Functions that tests run in parser processes in place of the parser."""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from aggregator.polling import parser_process
from aggregator.polling.stages import Body

Read = Callable[[list[Body], datetime], list[Any]]


def text_of(body: Body) -> str:
    return body.fetched.body.decode()


def allocate(bodies: list[Body], _now: datetime) -> list[bool]:
    """Return whether as many bytes can be had as the document says."""
    try:
        return [len(bytearray(int(text_of(bodies[0])))) > 0]
    except MemoryError:
        return [False]


def stderr(_bodies: list[Body], _now: datetime) -> list[str]:
    """Return the file that a child prints errors to."""
    return [str(Path("/proc/self/fd/2").readlink())]


def are_imported(_bodies: list[Body], _now: datetime) -> list[bool]:
    return [sys.modules.keys() >= set(parser_process.PARSERS)]


def blocked_signals(_bodies: list[Body], _now: datetime) -> list[set[int]]:
    return [signal.pthread_sigmask(signal.SIG_BLOCK, [])]


def process_id(_bodies: list[Body], _now: datetime) -> list[int]:
    return [os.getpid()]


def niceness(_bodies: list[Body], _now: datetime) -> list[int]:
    return [os.nice(0)]


def texts(bodies: list[Body], _now: datetime) -> list[Any]:
    return [text_of(body) for body in bodies]


def obey(bodies: list[Body], _now: datetime) -> list[str]:
    """Do as the document says."""
    for text in map(text_of, bodies):
        match text.split():
            case ["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["kill-parent"]:
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(600)
            case ["work"]:
                while True:
                    pass
            case ["sleep", file]:
                Path(file).write_text(str(os.getpid()))
                time.sleep(600)
            case ["raise"]:
                raise ValueError("no")
            case ["return", "lambda"]:
                return [lambda: None]  # type: ignore[list-item]
            case ["return", "nothing"]:
                os._exit(0)
    return texts(bodies, _now)
