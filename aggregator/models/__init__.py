"""The frozen dataclasses that stages exchange, one module per noun.

No behaviour beyond derived properties.
"""
