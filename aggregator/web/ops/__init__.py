"""For operators: status pages, health feed, metrics and probes."""
