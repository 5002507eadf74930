"""Importing the ini files of Planet Venus, Planet and Pluto."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.main import main
from aggregator.config import file
from aggregator.formats.opml import MAX_BYTES, Outline
from aggregator.formats.planet import NotPlanet, parse

VENUS = """\
# Planet of the valley
[Planet]
name = Planet Valley
link = https://planet.example/
cache_directory = /var/cache/planet
template_files = themes/common/atom.xml.xslt
items_per_page: 60
log_level = 100%

[DEFAULT]
facewidth = 64

[themes/common/index.html.tmpl]
date_format = %B %d, %Y

[https://ana.example/feed?tag=planet%20valley]
name = Ána Sørensen
link = https://ana.example/
face = ana.png

[feed://bo.example/rss]
name = Bo

[https://lists.example/members.opml]
content_type = opml
name = Members

[https://ana.example/feed?tag=planet%20valley]
face = again.png

[exec:/bin/true]
feed = exec:/bin/true
name = Local
"""

PLUTO = """\
title = Planet Ruby

[matz]
title = Matz' Blog
link = javascript:alert(1)
feed = https://matz.example/rss
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(f"storage: {{path: {tmp_path}/news.db}}\nsources: []\n")
    return path


def run(config: Path, *command: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *command])


def imported(config: Path, body: bytes) -> Result:
    path = config.with_name("planet.ini")
    path.write_bytes(body)
    return run(config, "import", "--append", str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_venus_subscriptions_become_sources(config: Path, encoding: str) -> None:
    result = imported(config, VENUS.encode(encoding))
    assert result.exit_code == 0, result.output
    assert [(s.id, s.url, s.title) for s in file.load(str(config), {}).sources] == [
        ("ana-sorensen", "https://ana.example/feed?tag=planet%20valley", "Ána Sørensen"),
        ("bo", "http://bo.example/rss", "Bo"),
    ]
    assert "Members https://lists.example/members.opml: a list of feeds" in result.output
    assert "Local exec:/bin/true: only http and https" in result.output
    assert run(config, "check").exit_code == 0


def test_pluto_feeds_become_sources(config: Path) -> None:
    # Pluto's own title stands above the first section, where ini files may have nothing.
    result = imported(config, PLUTO.encode())
    assert result.exit_code == 0, result.output
    (source,) = file.load(str(config), {}).sources
    assert (source.url, source.title) == ("https://matz.example/rss", "Matz' Blog")


def test_a_link_that_is_no_web_address_is_left_out() -> None:
    assert parse(PLUTO.encode()).outlines == (
        Outline(text="Matz' Blog", url="https://matz.example/rss"),
    )


def test_titles_of_planets() -> None:
    assert parse(VENUS.encode()).title == "Planet Valley"
    assert parse(PLUTO.encode()).title == "Planet Ruby"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "names no feeds", id="empty"),
        pytest.param(b"[Planet]\nname = Nothing\n", "names no feeds", id="no feeds"),
        pytest.param(b"https://one.example/feed\n", "names no feeds", id="a list of addresses"),
        pytest.param(b"\x00\xff\x13" * 40, "neither OPML nor", id="binary"),
        pytest.param(b"[a]\n" * (MAX_BYTES // 4 + 1), "the limit is", id="large"),
    ],
)
def test_what_is_no_planet_is_refused(config: Path, body: bytes, message: str) -> None:
    with pytest.raises(NotPlanet, match=message):
        parse(body)
    result = imported(config, body)
    assert result.exit_code == 2
    assert result.output.startswith("error: ")
