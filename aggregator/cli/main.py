"""The command `aggregator` and what holds for all its subcommands."""

import sys
from importlib import import_module

import click

from aggregator import __version__
from aggregator.cli import logs
from aggregator.errors import AggregatorError, ConfigError

DEFAULT_CONFIG = "config/sources.yaml"

COMMANDS = {
    "run": "run:run",
    "scheduler": "run:scheduler",
    "web": "web_server:web",
    "demo": "run:demo",
    "poll": "poll:poll_command",
    "check": "sources:check",
    "import": "sources:import_command",
    "export": "sources:export",
    "add": "sources:add",
    "status": "diagnose:status",
    "explain": "diagnose:explain",
    "doctor": "diagnose:doctor",
    "backup": "maintenance:backup",
    "restore": "maintenance:restore",
    "password": "maintenance:password",
    "release": "maintenance:release",
}
"""Where each stands in this folder: loading all takes longer than most of them work."""


class _Commands(click.Group):
    """Loads a command when it is asked for.

    Our errors are shown as one clear line, with 2 as exit code; `--debug` shows the traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"aggregator.cli.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AggregatorError as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, ConfigError):
                click.echo(error, err=True)  # as they are: editors jump to file:line:column
            else:
                click.echo(f"{click.style('error:', fg='red')} {error}", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
@click.option(
    "--config",
    "config_path",
    envvar="AGGREGATOR_CONFIG",
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The YAML file that names the sources (or AGGREGATOR_CONFIG).",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and everything that is logged.")
@click.pass_context
def main(ctx: click.Context, config_path: str, debug: bool) -> None:
    """Aggregate feeds: poll the sources of a YAML file, serve them merged.

    \b
    Examples:
      aggregator run                         poll and serve, config/sources.yaml
      aggregator --config my.yaml check      say everything that is wrong with a file
      aggregator poll --force                one round, now
      aggregator doctor bbc-world            what is odd about a source, and what to do
    """
    ctx.obj = config_path
    logs.start(debug=debug)
