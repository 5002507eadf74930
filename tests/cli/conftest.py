"""Fixtures of commands that work on a sample store."""

from pathlib import Path

import pytest


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration file of a sample store in `tmp_path`."""
    path = tmp_path / "sources.yaml"
    path.write_text(f"""\
storage: {{path: {tmp_path}/test.db}}
sections: [{{id: world, title: World}}, {{id: local, title: Local}}]
sources:
  - {{id: herald, url: "https://herald.example/feed", sections: [world]}}
  - {{id: post, url: "https://post.example/rss", sections: [world, local]}}
""")
    return path
