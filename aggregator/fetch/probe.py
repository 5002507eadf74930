"""A request to our own web server, without the address guard and the pacing of `client`."""

import http.client

LONGEST = 10_000


def get(host: str, port: int, path: str, seconds: float) -> tuple[int, str]:
    """Return the status and the text of a response, at most LONGEST bytes of it.

    Args:
        host: Name or address of the server.
        port: Its port.
        path: Of the request.
        seconds: How long to wait for each step.

    Raises:
        OSError: No server answers.
        http.client.HTTPException: What answers is not HTTP.
    """
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(LONGEST).decode("utf-8", "replace").strip()
    finally:
        connection.close()
