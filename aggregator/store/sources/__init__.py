"""Tables of sources: their state, poll plan and last document, the poll log, and incidents."""
