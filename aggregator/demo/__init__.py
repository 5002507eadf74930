"""The demo's publisher: invented feeds on loopback, so that the service can be seen alive offline.

`newsroom` decides what is published when, `documents` and `media` turn it into bytes, `publisher`
serves them, `starter` finds the YAML files that ship with the program. Nothing here is imported
by the service itself.
"""
