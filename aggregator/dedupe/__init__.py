"""Find entries that are the same: within one feed, and as stories across feeds.

Pure decisions that give their reason. No database, clock or network.
"""
