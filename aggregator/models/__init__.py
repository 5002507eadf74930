"""The frozen dataclasses that stages exchange, one module per noun.

No behaviour beyond derived properties and the readings of text that several stages share.
"""
