"""Tables of sources: their state, what to request next, the poll log and incidents."""
