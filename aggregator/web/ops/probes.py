"""Probes for load balancers and monitoring: /healthz and /readyz."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response

from aggregator.errors import StoreError
from aggregator.policy.health import reason_not_polling
from aggregator.store.database import change_log, metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.times import parse_time_or_none


def blueprint(store: Store, clock: Callable[[], datetime]) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("probes", __name__)
    probes = Probes(store, clock)
    routes.add_url_rule("/healthz", "healthz", probes.healthz)
    routes.add_url_rule("/readyz", "readyz", probes.readyz)
    return routes


class Probes:
    """The probes."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Check a store."""
        self._store, self._clock = store, clock

    def healthz(self) -> Response:
        """Return 200 if the database can be read and is not known to be damaged, else 503."""
        try:
            with self._store.reading() as db:
                change_log.version(db)
        except StoreError as error:
            return _text(503, str(error))
        if self._store.damage:
            return _text(503, self._store.damage)
        return _text(200, "ok")

    def readyz(self) -> Response:
        """Return 200 if the scheduler is polling too, else 503."""
        health = self.healthz()
        if health.status_code != 200:
            return health
        with self._store.reading() as db:
            tick = parse_time_or_none(metadata.get(db, "tick"))
            unavailable_reason = metadata.get(db, "shortage")
        reason = reason_not_polling(tick, unavailable_reason, self._clock())
        return _text(503, reason) if reason else _text(200, "ready")


def _text(status: int, message: str) -> Response:
    return Response(f"{message}\n", status, mimetype="text/plain")
