"""The WebSub page: subscriptions to the hubs of sources, and subscribers of our hub.

A callback URL may hold a secret of its subscriber: only its host is shown.
"""

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, render_template

from aggregator.models.config import Config
from aggregator.models.urls import host_of
from aggregator.store.database.connection import Store
from aggregator.store.websub import delivery_log, subscribers, subscriptions
from aggregator.web.ops.view_models import WebSubPage
from aggregator.web.pages.view_models import Head
from aggregator.websub import protocol

ROWS = 500


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the route of the page."""
    routes = Blueprint("websub_status", __name__)

    @routes.get("/status/websub")
    def page() -> str:
        model = compose(config(), store)
        return render_template("websub.html", page=model, head=model.head)

    return routes


def compose(config: Config, store: Store) -> WebSubPage:
    """Return the page."""
    site = config.site
    with store.reading() as db:
        hubs, followers = subscriptions.all_of(db), subscribers.by_failures(db, ROWS)
        deliveries, total = delivery_log.recent(db, ROWS), subscribers.count(db)
    return WebSubPage(
        head=Head(title=f"WebSub – {site.title}", updated=None),
        disabled_reason=protocol.objection(config),
        hub=protocol.hub_url(config),
        subscriptions=tuple(
            replace(
                subscription,
                hub=host_of(subscription.hub),
                callback="",
                secret="",
                token="",
            )
            for subscription in hubs[:ROWS]
        ),
        subscribers=tuple(
            replace(follower, topic=_path(follower.topic, site.public_url), callback="", secret="")
            for follower in followers
        ),
        total=total,
        deliveries=tuple(
            replace(
                delivery,
                topic=_path(delivery.topic, site.public_url),
                callback=host_of(delivery.callback),
            )
            for delivery in deliveries
        ),
    )


def _path(topic: str, base_url: str) -> str:
    """Return the path of a topic, without its query, which may hold a token."""
    return topic.removeprefix(base_url).partition("?")[0]
