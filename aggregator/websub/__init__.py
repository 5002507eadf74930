"""WebSub, both ways: hubs push sources to us, and our hub pushes our feeds to subscribers.

The web may use `protocol`, which is pure, and `publications`; the others work in the scheduler's
process.
"""
