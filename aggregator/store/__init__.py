"""All SQL of the program, one file per noun: dataclasses in and out, no policy.

Functions take a connection: a reader's from `Store.reading()`, the writer's from
`Store.transaction()`. Times are stored as UTC text (`2009-06-27T21:26:00Z`), which sorts as it
reads.
"""
