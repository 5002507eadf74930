"""Poll results into the database, in one transaction per batch."""
