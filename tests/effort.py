"""The cost of work in CPU time, compared with other work of the same process.

Seconds would fail on a slow machine, and on one whose processors are shared.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Effort:
    """How many times as much CPU time work took as a loop of 100,000 rounds."""

    times: float = 0.0


@contextmanager
def effort() -> Iterator[Effort]:
    """Measure the block; the result is there once it has ended.

    The loop runs before and after it, and the slower run counts: others may have come meanwhile.
    """
    measured = Effort()
    gc.disable()  # it would look through what other tests have left
    try:
        before = _seconds_of_loop()
        began = time.process_time()
        yield measured
        seconds = time.process_time() - began
        measured.times = seconds / max(before, _seconds_of_loop())
    finally:
        gc.enable()


def _seconds_of_loop() -> float:
    began = time.process_time()
    known: dict[str, int] = {}
    for number in range(100_000):
        word = f"{number % 1_000}"
        known[word] = known.get(word, 0) + len(word)
    return time.process_time() - began
