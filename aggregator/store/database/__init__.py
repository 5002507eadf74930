"""The SQLite file: connections, migrations, the scheduler's lock, metadata and the change log."""
