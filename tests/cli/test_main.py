"""The group of commands: its help and completion, and the modules they import."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from aggregator.cli.main import COMMANDS, main
from tests.feedserver import FeedServer

MODULES = "import sys; from aggregator.cli.main import main; main({}, standalone_mode=False)"
LISTED = "; print(*sys.modules)"
RSS = b"<rss version='2.0'><channel><title>T</title><item><title>A</title></item></channel></rss>"


def imported(*args: str) -> set[str]:
    """Return the modules that a new process imports for a command line."""
    script = MODULES.format(list(args)) + LISTED
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("args", [("--help",), ("--version",)])
def test_help_imports_no_command(args: tuple[str, ...]) -> None:
    modules = {"cli", "cli.main", "cli.logs", "cli.masked", "config", "errors"}
    ours = {name for name in imported(*args) if name.startswith("aggregator.")}
    assert ours == {f"aggregator.{name}" for name in modules}


def test_help_of_a_command_imports_its_module() -> None:
    modules = imported("check", "--help")
    assert "aggregator.cli.sources" in modules
    assert "aggregator.cli.run" not in modules


def test_only_a_poll_with_news_imports_what_stores_it(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    feed_server.feed("/feed", RSS, etag='"1"')
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"{{storage: {{path: {tmp_path / 'news.db'}}}, network: {{allow: [127.0.0.1]}},"
        f" sources: [{{id: news, url: '{feed_server.url('/feed')}'}}]}}"
    )
    parts = {"aggregator.dedupe", "aggregator.ingest.document", "aggregator.clean"}
    command = ("--config", str(config), "poll", "--force")
    first, second = imported(*command), imported(*command)
    assert parts < first
    assert "aggregator.ingest.batch" in second
    assert not second & {*parts, "rich"}


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("st", ["status", "stories"]),
        ("s", ["scheduler", "show", "status", "stories"]),
        ("", sorted(COMMANDS)),
        ("x", []),
    ],
)
def test_names_of_commands_are_completed(typed: str, completed: list[str]) -> None:
    items = ShellComplete(main, {}, "aggregator", "_COMPLETE").get_completions([], typed)
    assert [item.value for item in items] == completed
    assert [item.help for item in items] == [COMMANDS[name].summary for name in completed]


def test_options_are_completed() -> None:
    items = ShellComplete(main, {}, "aggregator", "_COMPLETE").get_completions([], "--de")
    assert [item.value for item in items] == ["--debug"]
