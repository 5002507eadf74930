"""WebSub, both ways: hubs push sources to us, and our hub pushes our feeds to subscribers.

`protocol` is pure and all that the web may use; the others work in the scheduler's process.
"""
