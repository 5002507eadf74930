"""Merged feeds: Atom, RSS, JSON Feed and OPML."""
