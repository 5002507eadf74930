"""HTTP: requests in, outcomes out; nothing here reads a document.

`client` and `handle` do the transfers; all the others are pure rules that a test can call.
"""
