"""A new element that is passed on is one row: it goes from a document into every format."""

from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.formats import extensions
from aggregator.models.entry import Image
from tests import recipes
from tests.builders import make_entry

DOCUMENT = """<rss version="2.0" xmlns:t="urn:toy"><channel><title>T</title><item>
<title>A</title><t:seats url="/s">4</t:seats></item></channel></rss>"""

RENDER_ALL = f"""
from datetime import UTC, datetime
from aggregator.clean import entry
from aggregator.formats import atom, jsonfeed, rss
from aggregator.parse import document
from tests.formats.strategies import make_feed, make_item

base, now = "https://toy.example/", datetime(2009, 6, 27, tzinfo=UTC)
parsed = document.parse({DOCUMENT.encode()!r}, url=base)
feed = make_feed(make_item(entry.clean(parsed.entries[0], base=base, now=now)))
for module in (atom, rss, jsonfeed):
    print(module.render(feed).decode())
"""


@pytest.mark.parametrize(
    ("image", "element"),
    [
        (Image(url="https://a.example/i.jpg", is_artwork=True),
         '<itunes:image href="https://a.example/i.jpg"/>'),
        (Image(url="https://a.example/i.jpg", width=640, height=360),
         '<media:thumbnail url="https://a.example/i.jpg" width="640" height="360"/>'),
    ],
)  # fmt: skip
def test_a_picture_is_written_as_artwork_or_thumbnail(image: Image, element: str) -> None:
    entry = replace(make_entry("a"), image=image)
    assert extensions.render(entry).strip() == element


def test_a_row_passes_an_element_from_document_to_all_formats(tmp_path: Path) -> None:
    table = recipes.copy_package(tmp_path) / "models" / "extensions.py"
    recipes.insert(table, '\n    "toy:seats": Element(attributes=("url",)),', after="ELEMENTS = {")
    recipes.insert(table, '\n    "toy": ("urn:toy",),', after="NAMESPACES = {")
    written = recipes.run(tmp_path, RENDER_ALL)
    assert written.count('<toy:seats url="https://toy.example/s">4</toy:seats>') == 2
    assert written.count('xmlns:toy="urn:toy"') == 2
    assert '{"name":"toy:seats","text":"4","attributes":{"url":"https://toy.example/s"}}' in written
