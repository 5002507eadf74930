"""A feed aggregator: it polls the feeds named in a YAML file and serves them merged.

Start reading at `poll` and `ingest`: together they are the whole program.
"""

from importlib.metadata import version

__version__ = version("feed-aggregator")
