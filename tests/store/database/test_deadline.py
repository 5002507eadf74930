"""A read that takes too long is interrupted; others are not, and the connection stays usable."""

from pathlib import Path

import pytest

from aggregator.errors import TooSlow
from aggregator.store.database.connection import Store

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
SHORT = ENDLESS.replace("from n)", "from n limit 9)")


def test_an_endless_read_ends(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "test.db"), read_seconds=0.05)
    with pytest.raises(TooSlow, match="takes too long"), store.reading() as db:
        db.execute(ENDLESS).fetchone()
    with store.reading() as db:
        assert db.execute(SHORT).fetchone()[0] == 9
    store.close()


def test_the_deadline_counts_for_all_statements_of_a_block(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "test.db"), read_seconds=0.05)
    tenth = ENDLESS.replace("from n)", "from n limit 30000)")

    def read_often() -> None:
        with store.reading() as db:
            for _ in range(1_000):
                db.execute(tenth).fetchone()

    with pytest.raises(TooSlow):
        read_often()
    store.close()


def test_without_a_bound_a_read_goes_on(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "test.db"))
    with store.reading() as db:
        long = ENDLESS.replace("from n)", "from n limit 1000000)")
        assert db.execute(long).fetchone()[0] == 1_000_000
    store.close()
