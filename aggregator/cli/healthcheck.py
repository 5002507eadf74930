"""The command healthcheck, for containers and monitoring."""

import sys
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import click

from aggregator.cli.shared import load, open_store
from aggregator.fetch import probe
from aggregator.policy.health import reason_not_polling
from aggregator.store.database import metadata
from aggregator.store.database.times import parse_time_or_none

SECONDS = 5.0


@click.command()
@click.argument("part", type=click.Choice(["run", "web", "scheduler"]), default="run")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the web server.")
@click.option("--port", default=8000, show_default=True, help="Port of the web server.")
@click.pass_obj
def healthcheck(path: str, part: str, host: str, port: int) -> None:
    """Exit with 0 if the service on this machine works, else with 1.

    Of `run`, by default, the web server must answer and sources must be polled; of `web` the server
    must answer; of `scheduler`, which has no server, the database tells.

    \b
    Examples:
      aggregator healthcheck
      aggregator healthcheck web --port 8080
      aggregator healthcheck scheduler
    """
    is_well, text = _scheduler(path) if part == "scheduler" else _server(part, host, port)
    click.echo(text, err=not is_well)
    sys.exit(not is_well)


def _server(part: str, host: str, port: int) -> tuple[bool, str]:
    try:
        status, text = probe.get(host, port, "/readyz" if part == "run" else "/healthz", SECONDS)
    except (OSError, HTTPException) as error:
        return False, f"{host}:{port}: no web server answers ({error})"
    return status == 200, text


def _scheduler(path: str) -> tuple[bool, str]:
    storage = load(path).storage
    if not Path(storage).exists():
        return False, f"{storage}: there is no database yet"
    with open_store(path) as (_, store), store.reading() as db:
        tick = parse_time_or_none(metadata.get(db, "tick"))
        now = datetime.now(UTC)  # noqa: TID251  # the poller's clock takes long to import
        reason = reason_not_polling(tick, metadata.get(db, "shortage"), now)
    return not reason, reason or "ready"
