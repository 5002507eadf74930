"""Entries out: each module renders one format, `render(feed) -> bytes`.

Output depends on the argument alone: not on the clock, randomness, or the order of a set. The same
database gives the same bytes and the same ETag in every process.
"""
