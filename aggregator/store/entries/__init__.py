"""Tables of entries: the entries, their aliases, and the stories they belong to."""
