"""Values of the service itself, such as when the scheduler was last alive."""

from aggregator.store.database.connection import Connection


def get(db: Connection, name: str) -> str:
    """Return a value by name, "" if it is not set."""
    row = db.execute("select value from facts where name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def put(db: Connection, name: str, value: str) -> None:
    """Set a value by name."""
    db.execute("insert or replace into facts values (?, ?)", (name, value))
