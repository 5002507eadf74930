"""The command `aggregator` and what holds for all its subcommands."""

import logging
import sys

import click
from rich.markup import escape

from aggregator import __version__
from aggregator.cli import editing, keeping, looking, rounds, service
from aggregator.cli.shared import err
from aggregator.errors import AggregatorError, ConfigError

DEFAULT_CONFIG = "config/sources.yaml"


class _Commands(click.Group):
    """Shows our errors as one clear line and exits with 2; `--debug` shows the traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AggregatorError as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, ConfigError):
                click.echo(error, err=True)  # as they are: editors jump to file:line:column
            else:
                err.print(f"[red]error:[/] {escape(str(error))}")
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
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("apscheduler", "pebble"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if debug else logging.ERROR)


for command in (
    service.run, service.scheduler, service.web, service.demo, rounds.poll_command,
    editing.check, editing.import_command, editing.export, editing.add,
    looking.status, looking.explain, looking.doctor,
    keeping.backup, keeping.restore, keeping.password, keeping.release,
):  # fmt: skip
    main.add_command(command)
