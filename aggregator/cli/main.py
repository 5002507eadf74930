"""The command `aggregator`: global options, logging and errors of all subcommands."""

import errno
import gc
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aggregator import __version__
from aggregator.cli import logs
from aggregator.config import DEFAULT_PATH
from aggregator.errors import AggregatorError, ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Listed(NamedTuple):
    """A command as the group lists it, without importing its module."""

    place: str
    """The module in this package and the function, with a colon between."""

    summary: str
    """The first sentence of its help."""


COMMANDS = {
    "run": Listed("run:run", "Poll and serve until Ctrl-C."),
    "scheduler": Listed("run:scheduler", "Poll without serving; run `aggregator web` beside it."),
    "web": Listed("web_server:web", "Serve without polling; run `aggregator scheduler` beside it."),
    "demo": Listed("run:demo", "Poll and serve invented feeds; needs no internet."),
    "poll": Listed(
        "poll:poll_command", "Poll due sources, or the named ones, once and print a summary."
    ),
    "init": Listed("sources:init", "Write a commented configuration file to start from."),
    "check": Listed("sources:check", "Check the configuration file and list all mistakes."),
    "import": Listed("sources:import_command", "Convert OPML, or a planet's ini file, to YAML."),
    "export": Listed("sources:export", "Write the sources as OPML, for other feed readers."),
    "build": Listed("build:build", "Write the site into DIR as files."),
    "add": Listed("add:add", "Add the feed of a page to the configuration."),
    "try": Listed(
        "listings:try_command",
        "Show the entries that a source's settings make of its page or feed, without storing them.",
    ),
    "status": Listed(
        "status:status", "Show health, last check, next poll and entries of each source."
    ),
    "explain": Listed(
        "diagnose:explain",
        "Explain the last polls and the next one of a source, or how an entry was merged.",
    ),
    "doctor": Listed("diagnose:doctor", "Fetch a source without storing it, and report problems."),
    "healthcheck": Listed(
        "healthcheck:healthcheck", "Exit with 0 if the service on this machine works, else with 1."
    ),
    "backup": Listed("maintenance:backup", "Copy the database to FILE while the service runs."),
    "restore": Listed("maintenance:restore", "Replace the database with the backup FILE."),
    "password": Listed("maintenance:password", "Ask for a password and print its hash."),
    "release": Listed(
        "maintenance:release", "Show entries of a source that were held back as republished."
    ),
    "stories": Listed("stories:stories", "Correct which entries are one story."),
    "recluster": Listed(
        "stories:recluster", "Rebuild the stories of all stored entries, while the service runs."
    ),
    "hide": Listed("takedown:hide", "Take an entry off the site."),
    "show": Listed("takedown:show", "Put an entry back that `hide` took off the site."),
}
"""All commands; importing them takes longer than most of them run."""


def _imported(name: str) -> ModuleType:
    """Import a module; Python never looks for cycles in what is imported, not even at exit."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.enable()
        gc.freeze()


class _Commands(click.Group):
    """Imports a command only to run it or to show its own help.

    Shows our errors as one line, with exit code 2; `--debug` shows the traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].place.partition(":")
        command: click.Command = getattr(_imported(f"aggregator.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed = {name: click.Command(name, help=COMMANDS[name].summary) for name in COMMANDS}
        click.Group(commands=listed).format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=COMMANDS[name].summary) for name in names]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:  # as the completion of a shell parses
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean {near[0]}?" if near else "`aggregator --help` lists the commands."
            ctx.fail(f"There is no command {args[0]}. {hint}")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command; a failure to print help or usage is one line, too."""
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # closed, as `>&-` does
                setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        try:
            return super().main(*args, **options)
        except OSError as error:
            _show(error)
            sys.exit(2)

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
                _show(error)
            sys.exit(2)


def _show(error: Exception) -> None:
    """Show an error, and drop output that can't be written: Python would try again at its end."""
    click.echo(f"{click.style('error:', fg='red')} {_message(error)}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def _in_home(_ctx: click.Context, _option: click.Parameter, path: str) -> str:
    """Expand `~`, which shells leave in `--config=~/my.yaml` and in environment files."""
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        return path  # there is no such user, and so no such file


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
@click.option(
    "--config",
    "config_path",
    envvar="AGGREGATOR_CONFIG",
    default=DEFAULT_PATH,
    callback=_in_home,
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
