"""The cost of work in CPU time, compared with other work of the same process.

Seconds would fail on a slow machine, and on one whose processors are shared.
"""

import gc
import time
from collections.abc import Callable


def effort(work: Callable[[], object]) -> float:
    """Return how many times as much CPU time work takes as a loop of 100,000 rounds does.

    The loop runs before and after it, and the slower run counts: others may have come meanwhile.
    """
    gc.disable()  # it would look through what other tests have left
    try:
        before, seconds, after = (_seconds(each) for each in (_loop, work, _loop))
    finally:
        gc.enable()
    return seconds / max(before, after)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _loop() -> None:
    known: dict[str, int] = {}
    for number in range(100_000):
        word = f"{number % 1_000}"
        known[word] = known.get(word, 0) + len(word)
