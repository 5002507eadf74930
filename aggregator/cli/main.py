"""The command `aggregator`: global options, logging and errors of all subcommands."""

import errno
import io
import sys
from difflib import get_close_matches
from importlib import import_module

import click

from aggregator import __version__
from aggregator.cli import logs
from aggregator.config import DEFAULT_PATH
from aggregator.errors import AggregatorError, ConfigError

COMMANDS = {
    "run": "run:run",
    "scheduler": "run:scheduler",
    "web": "web_server:web",
    "demo": "run:demo",
    "poll": "poll:poll_command",
    "init": "sources:init",
    "check": "sources:check",
    "import": "sources:import_command",
    "export": "sources:export",
    "add": "add:add",
    "status": "status:status",
    "explain": "diagnose:explain",
    "doctor": "diagnose:doctor",
    "backup": "maintenance:backup",
    "restore": "maintenance:restore",
    "password": "maintenance:password",
    "release": "maintenance:release",
    "hide": "takedown:hide",
    "show": "takedown:show",
}
"""Module and function of each command; loading all takes longer than most commands run."""


class _Commands(click.Group):
    """Loads commands on demand.

    Shows our errors as one line, with exit code 2; `--debug` shows the traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"aggregator.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:  # as the completion of a shell parses
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean {near[0]}?" if near else "`aggregator --help` lists the commands."
            ctx.fail(f"There is no command {args[0]}. {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (AggregatorError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise  # click ends quietly: the reader of our output has seen enough
            if ctx.params.get("debug"):
                raise
            if isinstance(error, ConfigError):
                click.echo(error, err=True)  # unchanged: editors jump to file:line:column
            else:
                click.echo(f"{click.style('error:', fg='red')} {_message(error)}", err=True)
            sys.exit(2)


def _message(error: Exception) -> str:
    """Return one line that names the file, the failure and the remedy."""
    if not isinstance(error, OSError):
        return str(error)
    place = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{place}{error.strerror or error}.{remedy}"


_REMEDIES = {
    errno.EACCES: " Check the owner and mode of the file and its folder.",
    errno.EPERM: " Check the owner and mode of the file and its folder.",
    errno.EROFS: " Name a folder that can be written; in a container, mount one.",
    errno.ENOSPC: " Free some space on the disk.",
    errno.EDQUOT: " Free some space: the quota is used up.",
    errno.ENOENT: " Check the path.",
    errno.ENOTDIR: " Check the path.",
    errno.EMFILE: " Raise the limit of open files with `ulimit -n 1024`.",
}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
@click.option(
    "--config",
    "config_path",
    envvar="AGGREGATOR_CONFIG",
    default=DEFAULT_PATH,
    show_default=True,
    help="Configuration file (or AGGREGATOR_CONFIG).",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and the log messages of libraries.")
@click.option("--verbose", is_flag=True, help="Log polls without news, too.")
@click.option("--quiet", is_flag=True, help="Log only warnings and errors.")
@click.option(
    "--log-format",
    type=click.Choice(logs.FORMATS),
    envvar=logs.FORMAT,
    default="text",
    show_default=True,
    help=f"Format of log lines (or {logs.FORMAT}).",
)
@click.pass_context
def main(
    ctx: click.Context, config_path: str, debug: bool, verbose: bool, quiet: bool, log_format: str
) -> None:
    """Poll the feeds of a YAML file; serve them as a news site and merged feeds.

    \b
    Examples:
      aggregator init                        write config/sources.yaml to start from
      aggregator run                         poll and serve it
      aggregator --config my.yaml check      list the mistakes in a file
      aggregator poll --force                poll all sources now
      aggregator doctor bbc-world            find problems with a source
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our characters
    ctx.obj = config_path
    if quiet and (verbose or debug):
        raise click.UsageError("--quiet excludes --verbose and --debug.")
    level = (
        logs.EVERYTHING if debug else logs.VERBOSE if verbose else logs.QUIET if quiet
        else logs.NORMAL
    )  # fmt: skip
    logs.export(level=level, format=log_format)
    logs.start(level=level, format=log_format)
