"""Entries out: each module renders one format, `render(feed) -> bytes`.

The rule of this folder: a rendering depends on its argument alone. No clock, no chance, no order
of a dict or set may reach the bytes, so that the same database gives the same ETag for ever.
"""
