"""Consoles for tables and colours; slow to import, so not for the commands that users wait for."""

from rich.console import Console

from aggregator.cli import masked

console = Console(file=masked.STDOUT, highlight=False, soft_wrap=True)
error_console = Console(file=masked.STDERR, highlight=False, soft_wrap=True)
