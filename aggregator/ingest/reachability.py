"""Tells a machine that is offline from hosts that are down."""

from aggregator.models.poll import Failed, FailureKind, PollOutcome

OFFLINE_HOSTS = 3
"""Hosts that stop answering, none answering in between, from which we count as offline."""

UNREACHABLE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TIMEOUT})


class Reachability:
    """Watches which hosts answer, for one poll loop."""

    def __init__(self) -> None:
        """Start online."""
        self._lost: set[str] = set()

    @property
    def is_offline(self) -> bool:
        """Whether no host is reachable."""
        return len(self._lost) >= OFFLINE_HOSTS

    def observe(self, host: str, outcome: PollOutcome, *, failures: int) -> bool:
        """Note the outcome of a poll; return whether it failed because this machine is offline.

        Args:
            host: The source's host.
            outcome: The outcome.
            failures: Failures in a row before this poll. Only a first failure is a sign: hosts
                that have been down for long fail while we are online, too.
        """
        if outcome.transfer.status or outcome.transfer.hops:
            self._lost.clear()
            return False
        if not (isinstance(outcome, Failed) and outcome.kind in UNREACHABLE):
            return False
        if not failures:
            self._lost.add(host)
        return self.is_offline
