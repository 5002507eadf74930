"""From due sources to poll results.

The scheduler, the poll loop, and the worker processes that parse.
"""
