"""Consoles for tables and colours; slow to import, so not for the commands that users wait for."""

from typing import IO, cast

from rich.console import Console

from aggregator.cli import masked

console = Console(file=cast("IO[str]", masked.Stream("stdout")), highlight=False, soft_wrap=True)
error_console = Console(
    file=cast("IO[str]", masked.Stream("stderr")), highlight=False, soft_wrap=True
)
