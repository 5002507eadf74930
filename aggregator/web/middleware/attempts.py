"""Limits failed sign-ins per client."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MAX_ATTEMPTS, PERIOD = 5, 300.0
"""Failed sign-ins per client in a period of seconds."""

MAX_CLIENTS = 10_000


class LoginAttempts:
    """Times of failed and unfinished sign-ins by client; the oldest clients are forgotten."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count on a monotonic clock, in seconds."""
        self._clock = clock
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def begin(self, address: str) -> float:
        """Count a sign-in before its password is checked; return the seconds to wait instead.

        Counting first bounds the sign-ins that a client can have in progress at the same time.

        Args:
            address: IP address of the client.

        Returns:
            0.0 if the password may be checked now.
        """
        client, now = _client(address), self._clock()
        with self._lock:
            recent = [time for time in self._times.get(client, ()) if time > now - PERIOD]
            if len(recent) >= MAX_ATTEMPTS:
                return recent[-MAX_ATTEMPTS] + PERIOD - now
            self._times[client] = [*recent, now]
            self._times.move_to_end(client)
            if len(self._times) > MAX_CLIENTS:
                self._times.popitem(last=False)
        return 0.0

    def take_back(self, address: str) -> None:
        """Uncount the last sign-in of a client, because it did not fail."""
        with self._lock:
            if times := self._times.get(_client(address)):
                times.pop()


def _client(address: str) -> str:
    """Return the client that an address belongs to: for IPv6 its /64, the size of a household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""  # as a proxy forwards it: all invalid addresses are one client
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
