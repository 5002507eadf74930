"""The demo: a publisher of invented feeds on loopback, to try the service offline.

`newsroom` decides which reports are published when, `documents` and `media` render them,
`publisher` serves them, `starter` finds the YAML files shipped with the program. The service itself
imports none of it.
"""
