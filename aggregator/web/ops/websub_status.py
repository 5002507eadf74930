"""What operators see of WebSub: which hubs push to us, and who is told by our hub.

Callbacks are secrets of those who chose them, so that only their hosts are shown.
"""

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, render_template

from aggregator.models.config import Config
from aggregator.models.urls import host_of
from aggregator.store.database.connection import Store
from aggregator.store.websub import subscribers, subscriptions
from aggregator.web.pages.view_models import Head, PushesPage
from aggregator.websub import protocol

ROWS = 500


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the page."""
    made = Blueprint("pushes", __name__)

    def pushes() -> str:
        page = read(config(), store)
        return render_template("pushes.html", page=page, head=page.head)

    made.add_url_rule("/status/websub", "pushes", pushes)
    return made


def read(config: Config, store: Store) -> PushesPage:
    """Return what is known now."""
    site = config.site
    with store.reading() as db:
        ours, theirs = subscriptions.all_of(db), subscribers.listed(db, ROWS)
        log, total = subscribers.logged(db, ROWS), subscribers.count(db)
    return PushesPage(
        head=Head(title=f"Pushes – {site.title}", updated=None),
        objection=protocol.objection(config),
        hub=protocol.hub_url(config),
        subscriptions=tuple(
            replace(one, hub=host_of(one.hub), callback="", secret="", token="")
            for one in ours[:ROWS]
        ),
        subscribers=tuple(
            replace(one, topic=_place(one.topic, site.base_url), callback="", secret="")
            for one in theirs
        ),
        total=total,
        deliveries=tuple(
            replace(one, topic=_place(one.topic, site.base_url), callback=host_of(one.callback))
            for one in log
        ),
    )


def _place(topic: str, base_url: str) -> str:
    """Return a topic's path, without its query, which may hold a token."""
    return topic.removeprefix(base_url).partition("?")[0]
