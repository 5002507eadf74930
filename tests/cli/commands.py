"""Commands as a shell runs them, in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from aggregator.cli.main import main


def run(config: Path, *command: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *command])
