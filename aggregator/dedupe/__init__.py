"""Which entries are the same: within one feed, by decisions that are pure and give their reason.

Nothing here touches the database, the clock or the network.
"""
