"""Errors shown to the user.

    AggregatorError             one line for the user, exit code 2
    ├── ConfigError             the YAML file has mistakes
    ├── QueryError              a query has mistakes
    ├── StoreError              the database can't be used
    │   ├── ForeignDatabase     a database of another program, or not a database
    │   ├── SchemaTooNew        written by a newer version of this program
    │   ├── Corrupt             SQLite reports a damaged file
    │   ├── DatabaseReplaced    the file was removed or replaced while it was open
    │   ├── Locked              another process held the database for too long
    │   ├── DiskFull            the disk is full, or can't be written
    │   └── TooSlow             a read took longer than a web request may
    └── AlreadyRunning          another scheduler polls into this database

Expected outcomes of a poll are values (`models.poll.Failed`), never exceptions.
"""

from dataclasses import dataclass


class AggregatorError(Exception):
    """Base of the errors that are shown to the user as one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a configuration file.

    Args:
        file: The file's path as the user gave it.
        line: 1-based.
        column: 1-based.
        message: The problem, with the key or value.
        remedy: How to fix it.
    """

    file: str
    line: int
    column: int
    message: str
    remedy: str

    def __str__(self) -> str:
        """`file:line:column: message. remedy`, a format that editors can jump to."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}. {self.remedy}"


class ConfigError(AggregatorError):
    """A configuration with mistakes; `problems` lists all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class QueryError(AggregatorError):
    """A query with an unknown key or an invalid value."""


class StoreError(AggregatorError):
    """The database can't be used."""


class ForeignDatabase(StoreError):
    """The file belongs to another program, or is not an SQLite database."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of this program."""


class Corrupt(StoreError):
    """SQLite reports that the database file is damaged."""


class DatabaseReplaced(StoreError):
    """The database file was removed or replaced while this process had it open."""


class Locked(StoreError):
    """Another process held the database for longer than the busy timeout."""


class DiskFull(StoreError):
    """The disk is full, or can't be written."""


class TooSlow(StoreError):
    """A read was interrupted because it took longer than a web request may."""


class AlreadyRunning(AggregatorError):
    """Another scheduler already polls into this database."""
