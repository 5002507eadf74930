"""WebSub in both directions: hubs push sources to us, and our hub pushes our feeds to subscribers.

The web uses `protocol` and `status_text`, which are pure, and `publications`. The other modules run
in the scheduler's process.
"""
