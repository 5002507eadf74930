"""Pure decisions: when to poll, how healthy a source is, which entries the rules show.

No I/O and no clock.
"""
