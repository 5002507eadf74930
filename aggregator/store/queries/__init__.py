"""Reads for pages and feeds: selections, summaries, full-text search, and past states."""
