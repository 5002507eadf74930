"""Small facts of the service itself, such as when the scheduler was last alive."""

from aggregator.store.database.connection import Connection


def get(db: Connection, name: str) -> str:
    """Return a fact, "" when it was never put."""
    row = db.execute("select value from facts where name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def put(db: Connection, name: str, value: str) -> None:
    """Set a fact."""
    db.execute("insert or replace into facts values (?, ?)", (name, value))
