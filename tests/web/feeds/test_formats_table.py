"""A new output format is one module and one row: everything that lists formats follows."""

from pathlib import Path

from aggregator.formats.table import ENDINGS, FORMATS
from tests import recipes

MODULE = """
TYPE = "application/toy"

def render(feed):
    lines = [feed.title, *(item.entry.entry.title for item in feed.items)]
    return "\\n".join([*lines, *(url for _, url in feed.alternates)]).encode()
"""

ROW = """
    Format(
        name="toy",
        label="Toy",
        hint="For toys.",
        media_type=toy.TYPE,
        content_type=toy.TYPE,
        render=toy.render,
    ),"""

ASK = """
import sys
from pathlib import Path
from urllib.parse import urlsplit
from aggregator.store.database import change_log
from aggregator.web.app import create_app
from aggregator.web.feeds import documents
from tests.web.sample_store import BASE, open_sample

with open_sample(Path(sys.path[0] or ".")) as sample:
    sample.add("herald", 60)
    client = create_app(lambda: sample.config, sample.store).test_client()
    for path in (
        "/feeds/all.toy", "/feeds/section/world.toy?q=rain", "/feeds/all/archive/1.toy",
        "/feeds/health.toy", "/feeds/corrections.toy", "/at/2009-06-27T21:30Z/feeds/all.toy",
    ):
        answer = client.get(path)
        print(path, answer.status_code, answer.content_type)
    print("alternates:", client.get("/feeds/all.toy").text.count(f"{BASE}/feeds/all."))
    print("in atom:", f'type="application/toy" href="{BASE}/feeds/all.toy"'
          in client.get("/feeds/all.atom").text)
    print("Link:", client.get("/feeds/all.rss").headers["Link"].count("/feeds/all.toy"))
    print("page:", 'type="application/toy"' in client.get("/").text)
    print("help:", "Toy (<code>.toy</code>): For toys." in client.get("/help").text)
    print("topic:", f"{BASE}/feeds/all.toy"
          in documents.publications(sample.store, lambda: sample.now)
          .touched([change_log.ALL], sample.config))
    print(client.get("/feeds/all.none").text)
"""

EXPECTED = f"""\
/feeds/all.toy 200 application/toy
/feeds/section/world.toy?q=rain 200 application/toy
/feeds/all/archive/1.toy 200 application/toy
/feeds/health.toy 200 application/toy
/feeds/corrections.toy 200 application/toy
/at/2009-06-27T21:30Z/feeds/all.toy 200 application/toy
alternates: {len(FORMATS)}
in atom: True
Link: 1
page: True
help: True
topic: True
feeds end in .toy, {", ".join(f".{ending}" for ending in ENDINGS)}
"""


def test_a_module_and_a_row_make_a_format(tmp_path: Path) -> None:
    formats = recipes.copy_package(tmp_path) / "formats"
    (formats / "toy.py").write_text(MODULE)
    table = formats / "table.py"
    recipes.insert(table, ", toy", after="from aggregator.formats import atom")
    recipes.insert(table, ROW, after="_ROWS = (")
    assert recipes.run(tmp_path, ASK).strip() == EXPECTED.strip()
