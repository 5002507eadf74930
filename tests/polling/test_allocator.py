"""Freed memory is returned to the system."""

import platform
import subprocess
import sys

import pytest

from aggregator.polling import allocator

FRAGMENTED = """
from pathlib import Path
from aggregator.polling import allocator

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes(2_000) for _ in range(20_000)]
before = resident()
kept = blocks[::100]  # in all pages that glibc could return by itself
del blocks
freed = resident()
allocator.trim()
print(before - freed, before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_trim_returns_what_lies_between_blocks_in_use() -> None:
    done = subprocess.run([sys.executable, "-c", FRAGMENTED], capture_output=True, check=True)
    without, with_trim = map(int, done.stdout.split())
    assert without < 2_000_000
    assert with_trim > 20_000_000


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_library", lambda: None)
    allocator.share_heap()
    allocator.trim()
