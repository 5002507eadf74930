"""Pure decisions.

When to poll, how a source is doing, what filter rules say. No I/O and no clock.
"""
