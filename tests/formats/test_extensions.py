"""A new element that is passed on is one row: it goes from a document into every format."""

from pathlib import Path

from tests import recipes

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


def test_a_row_passes_an_element_from_document_to_all_formats(tmp_path: Path) -> None:
    table = recipes.copy_package(tmp_path) / "models" / "extensions.py"
    recipes.insert(table, '\n    "toy:seats": Element(attributes=("url",)),', after="ELEMENTS = {")
    recipes.insert(table, '\n    "toy": ("urn:toy",),', after="NAMESPACES = {")
    written = recipes.run(tmp_path, RENDER_ALL)
    assert written.count('<toy:seats url="https://toy.example/s">4</toy:seats>') == 2
    assert written.count('xmlns:toy="urn:toy"') == 2
    assert '{"name":"toy:seats","text":"4","attributes":{"url":"https://toy.example/s"}}' in written
