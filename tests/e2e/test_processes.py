import os
import signal
import subprocess
import sys

from tests.e2e import processes


def test_a_program_with_arguments_that_are_not_utf_8_is_listed() -> None:
    waits = "import signal; print(flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-c", waits, b"\xff\xfe"], stdout=subprocess.PIPE, start_new_session=True
    ) as foreign:
        assert foreign.stdout
        foreign.stdout.readline()
        try:
            [found] = processes.of_session(foreign.pid)
        finally:
            foreign.send_signal(signal.SIGKILL)
    assert found.pid == foreign.pid
    assert found.parent == os.getpid()
    assert found.command.rstrip().endswith(os.fsdecode(b"\xff\xfe"))


def test_a_program_that_has_ended_is_not_listed() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    ended.wait()
    assert processes.of_session(ended.pid) == []
