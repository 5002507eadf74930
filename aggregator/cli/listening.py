"""What `run` and the web server that it starts both know of listening; cheap to import."""

import socket

from aggregator.errors import AggregatorError

STARTED_BY = "AGGREGATOR_STARTED_BY"
"""Holds the process id of `run` for the web server that it starts."""

HOST, PORT = "AGGREGATOR_HOST", "AGGREGATOR_PORT"
"""The address and port to listen on, for the worker processes."""

SNAPSHOT = "AGGREGATOR_CONFIG_SNAPSHOT"
"""Path of the last valid configuration, for the worker processes and for a server of `run`."""


def check_free(host: str, port: int) -> None:
    """Raise an AggregatorError if the address can't be bound."""
    try:
        address = ip_address(host)
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        raise AggregatorError(
            f"can't serve on {host} port {port}: {error.strerror or error}."
            " Stop the program that uses it, or choose another with --host and --port."
        ) from None


def ip_address(host: str) -> str:
    """Return the IP address of a host name such as localhost, IPv4 if it has both."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return min((str(address[0]) for *_, address in found), key=lambda text: ":" in text)
