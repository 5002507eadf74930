"""HTTP: requests to outcomes, without looking into documents.

`client` and `handle` make the transfers. The other modules are pure rules.
"""
