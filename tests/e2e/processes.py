"""Running processes, as /proc describes them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A living process; `ticks` is the processor time it has used, in clock ticks."""

    pid: int
    parent: int
    session: int
    ticks: int
    command: str

    @property
    def memory(self) -> int:
        """Bytes it holds, those shared with others counted in parts; 0 when it has ended."""
        try:
            rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        except OSError:
            return 0
        return sum(int(row.split()[1]) for row in rollup.splitlines() if row[:4] == "Pss:") * 1024


def of_session(session: int) -> list[Process]:
    """The living processes of a session, oldest first."""
    found = (_process(int(entry.name)) for entry in Path("/proc").glob("[0-9]*"))
    return sorted((p for p in found if p and p.session == session), key=lambda p: p.pid)


def children_that_read(session: int) -> list[Process]:
    """The parser processes of a scheduler: the children of the parent of parsers."""
    parents = {process.pid for process in parents_of_parsers(session)}
    return [process for process in of_session(session) if process.parent in parents]


def parents_of_parsers(session: int) -> list[Process]:
    """The processes that fork parser processes."""
    named = [process for process in of_session(session) if "parser_process" in process.command]
    pids = {process.pid for process in named}
    return [process for process in named if process.parent not in pids]


def _process(pid: int) -> Process | None:
    try:
        # Names and arguments of the other programs of a machine are not always UTF-8.
        stat = os.fsdecode(Path(f"/proc/{pid}/stat").read_bytes())
        command = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).replace("\0", " ")
    except OSError:
        return None  # it has just ended
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        ticks=int(fields[11]) + int(fields[12]),
        command=command,
    )
