"""The modules of the web server that write to the database are those that its docstring lists."""

import ast
import re
from pathlib import Path

import pytest

from aggregator import web
from aggregator.errors import StoreError
from aggregator.store.database.connection import Store

FOLDER = Path(web.__file__).parent


def writes(module: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "transaction"
        for node in ast.walk(ast.parse(module.read_text()))
    )


def test_list_of_writing_modules_is_complete() -> None:
    listed = re.findall(r"^    ([\w/]+\.py) ", web.__doc__ or "", re.MULTILINE)
    found = [str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.py") if writes(path)]
    assert listed == sorted(found)


def test_connection_that_reads_can_not_write(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "test.db"))
    with pytest.raises(StoreError, match="can't be written"), store.reading() as db:
        db.execute("update sources set title = ''")
    store.close()
