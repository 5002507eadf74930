"""What an operator sees in the terminal: poll, status, explain and completion."""

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from werkzeug.test import Client

from aggregator.cli.main import main
from aggregator.config import file as config_file
from aggregator.store.database.connection import Store
from aggregator.web.app import create_app
from tests.feedserver import FeedServer

RSS = b"""<rss version="2.0"><channel><title>Harbour News</title>
<item><title>Ferry</title><guid>1</guid></item></channel></rss>"""


@pytest.fixture
def config(tmp_path: Path, feed_server: FeedServer) -> Path:
    feed_server.reply("/feed", body=RSS)
    feed_server.reply("/dead", 404)
    path = tmp_path / "sources.yaml"
    path.write_text(f"""\
storage: {{path: {tmp_path}/news.db}}
network: {{allow: [127.0.0.0/8]}}
sections: [{{id: world, title: World}}]
sources:
  - {{id: harbour, url: "{feed_server.url("/feed")}", sections: [world]}}
  - {{id: idle, url: "{feed_server.url("/idle")}", enabled: false}}
  - {{id: dead, url: "{feed_server.url("/dead")}?key=secret-of-mine", private: true}}
""")
    return path


def run(config: Path, *command: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *command])


def lines(config: Path, *command: str) -> list[str]:
    result = run(config, *command)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_round_is_summed_up_in_plain_words(config: Path) -> None:
    first = lines(config, "poll")
    assert first[:6] == [
        "sources polled 2", "with news 1", "nothing new 0", "failed 1",
        "new entries 1", "edited entries 0",
    ]  # fmt: skip
    assert first[6].startswith("dead ")
    assert lines(config, "poll") == [
        "No source is due yet; `aggregator poll --force` polls all now."
    ]
    assert "nothing new 1" in lines(config, "poll", "harbour")


def test_unhealthy_sources_come_first(config: Path) -> None:
    run(config, "poll")
    header, *rows, summary = lines(config, "status")
    assert header == "source health checked changed next entries reason"
    assert [row.split()[:2] for row in rows] == [
        ["dead", "failing"], ["harbour", "fine"], ["idle", "disabled"],
    ]  # fmt: skip
    assert "404" in rows[0]
    assert summary == "3 of 3 sources: 1 failing, 1 fine, 1 disabled. Times are in UTC."


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("HARB",), ["harbour"]),
        (("harbour news",), ["harbour"]),
        (("--health", "failing", "--health", "disabled"), ["dead", "idle"]),
        (("--section", "world"), ["harbour"]),
        (("dead", "--section", "world"), []),
    ],
)
def test_status_selects_sources(config: Path, options: tuple[str, ...], ids: list[str]) -> None:
    run(config, "poll")
    assert [
        item["id"] for item in json.loads(run(config, "status", "--json", *options).stdout)
    ] == ids
    shown = lines(config, "status", *options)
    assert [row.split()[0] for row in shown[1:-1]] == ids
    assert ids or shown == ["None of 3 sources matches."]


def test_status_as_json_has_no_secret(config: Path) -> None:
    run(config, "poll")
    text = run(config, "status", "--json").stdout
    assert "secret-of-mine" not in text
    dead = json.loads(text)[0]
    assert (dead["health"], dead["failures"], dead["entries"]) == ("failing", 1, 0)


def test_explain_lists_the_last_polls_and_why(config: Path) -> None:
    assert "no poll yet" in lines(config, "explain", "harbour")
    run(config, "poll")
    run(config, "poll", "harbour")
    polls = " ".join(lines(config, "explain", "harbour")[-2:])
    assert "nothing new (the same document); next " in polls
    assert "1 new entries, 0 edited; next " in polls
    assert "404" in lines(config, "explain", "dead")[-1]


@pytest.mark.parametrize(
    ("args", "typed", "expected"),
    [
        ([], "do", ["doctor"]),
        (["explain"], "h", ["harbour"]),
        (["poll", "dead"], "i", ["idle"]),
        (["doctor"], "", ["harbour", "idle", "dead"]),
        (["add", "--section"], "w", ["world"]),
    ],
)
def test_shells_complete_commands_and_ids(
    config: Path, args: list[str], typed: str, expected: list[str]
) -> None:
    shell = ShellComplete(main, {}, "aggregator", "_AGGREGATOR_COMPLETE")
    shown = shell.get_completions(["--config", str(config), *args], typed)
    assert [item.value for item in shown] == expected


def test_an_unknown_command_does_not_break_completion(config: Path) -> None:
    shell = ShellComplete(main, {}, "aggregator", "_AGGREGATOR_COMPLETE")
    args = ["--config", str(config), "nonsense"]
    assert "doctor" in [item.value for item in shell.get_completions(args, "")]


def test_completion_with_a_broken_file_is_empty(config: Path) -> None:
    config.write_text("sources: [")
    shell = ShellComplete(main, {}, "aggregator", "_AGGREGATOR_COMPLETE")
    assert shell.get_completions(["--config", str(config), "explain"], "") == []


def test_page_commands_api_metrics_and_health_feed_agree(config: Path) -> None:
    run(config, "poll")
    assert lines(config, "status")[1].endswith(" 404 Not Found")
    assert "health: failing, 404 Not Found" in lines(config, "explain", "dead")
    loaded = config_file.load(str(config), {})
    store = Store(loaded.storage)
    client = Client(create_app(lambda: loaded, store))
    page = client.get("/status?health=failing").text
    assert '<span class="health failing">failing</span><span class="error">404 Not Found' in page
    assert "<td>404 Not Found</td>" in client.get("/source/dead").text
    for path in ("/api/v1/sources/dead", "/status.json"):
        body = json.loads(client.get(path).text)
        source = body if "health" in body else body["sources"][-1]
        assert (source["health"], source["problem"]) == ("failing", "404 Not Found")
    assert 'aggregator_sources{health="failing"} 1.0' in client.get("/metrics").text
    incident = json.loads(client.get("/feeds/health.json").text)["items"][0]
    assert incident["tags"] == ["failing"]
    assert ": 404 Not Found: " in incident["content_html"]
    store.close()
