"""The id of the site: the authority in the tag: URIs of feeds and entries (RFC 4151 §2.1).

It is made once and stored, so that published ids stay when the address of the site changes.
"""

import secrets

from aggregator.errors import StoreError
from aggregator.models.urls import host_of, public_name
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection, Store

NAME = "site_id"

DEFAULT = "127.0.0.1"
"""The id in databases of earlier versions, which did not store it, for sites without base_url."""


def get(db: Connection) -> str:
    """Return the id of the site.

    Raises:
        StoreError: The database is older than this process, as after a restore.
    """
    stored = metadata.get(db, NAME)
    if not stored:
        raise StoreError("the database has no site id: restart the service")
    return stored


def ensure(store: Store, base_url: str) -> None:
    """Store an id if the database has none.

    A new site has the host name of its address, or a random name that nobody can own. In a
    database of an earlier version it is the host that the ids were made of until now.

    Args:
        store: The database.
        base_url: The configured address, "" for none.
    """
    with store.reading() as db:
        if metadata.get(db, NAME):
            return
    with store.transaction() as db:
        if metadata.get(db, NAME):  # another process was first
            return
        is_new = db.execute("select 1 from sources limit 1").fetchone() is None
        metadata.put(db, NAME, _new_id(base_url) if is_new else _earlier_id(base_url))


def _new_id(base_url: str) -> str:
    return public_name(base_url) or f"{secrets.token_hex(8)}.invalid"


def _earlier_id(base_url: str) -> str:
    host = host_of(base_url) if base_url else DEFAULT
    return "localhost" if ":" in host else host  # IPv6 addresses are not allowed in tag: URIs
