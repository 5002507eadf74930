"""The errors a user can meet.

    AggregatorError             one clear line for the user, exit code 2
    ├── ConfigError             the YAML file says something that can't be obeyed
    ├── QueryError              a view's query says something that can't be obeyed
    ├── StoreError              the database can't be used
    │   ├── NotOurs             the file is a database of another program, or no database
    │   ├── SchemaTooNew        written by a newer version of this program
    │   ├── Corrupt             SQLite says that the file is damaged
    │   ├── Locked              another process holds the database for too long
    │   └── DiskFull            nothing more can be written
    └── AlreadyRunning          another scheduler polls into this database

Expected outcomes of a poll are values (`model.Failed`), never exceptions.
"""

from dataclasses import dataclass


class AggregatorError(Exception):
    """Base of all errors that are shown to the user as one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a configuration file.

    Args:
        file: The file's path as the user gave it.
        line: 1-based.
        column: 1-based.
        what: What is wrong, naming the key or the value.
        remedy: What to do about it.
    """

    file: str
    line: int
    column: int
    what: str
    remedy: str

    def __str__(self) -> str:
        """`file:line:column: what. remedy`, the form that editors can jump to."""
        return f"{self.file}:{self.line}:{self.column}: {self.what}. {self.remedy}"


class ConfigError(AggregatorError):
    """A configuration that can't be obeyed; `problems` lists every mistake at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class QueryError(AggregatorError):
    """A view's query with an unknown key or a value that its key does not take."""


class StoreError(AggregatorError):
    """The database can't be used."""


class ForeignDatabase(StoreError):
    """The file belongs to another program, or is no SQLite database."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of this program."""


class Corrupt(StoreError):
    """SQLite reports that the database file is damaged."""


class Locked(StoreError):
    """Another process held the database for longer than the busy timeout."""


class DiskFull(StoreError):
    """The disk has no room for what must be written."""


class AlreadyRunning(AggregatorError):
    """Another scheduler already polls into this database."""
