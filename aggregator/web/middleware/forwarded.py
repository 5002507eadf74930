"""Reads the Forwarded header field (RFC 7239) as the `X-Forwarded-*` fields."""

from typing import TYPE_CHECKING
from urllib.request import parse_http_list

from werkzeug.http import parse_options_header

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_FIELD = 2_000
"""Characters of a Forwarded field that is read."""

_FIELDS = {"for": "FOR", "proto": "PROTO", "host": "HOST"}


def from_forwarded(environ: "WSGIEnvironment") -> None:
    """Add `X-Forwarded-For`, `-Proto` and `-Host` from Forwarded.

    If a request has any `X-Forwarded-*` field, Forwarded is ignored: a proxy that sets those
    passes on a Forwarded field that the client made up.
    """
    field = environ.get("HTTP_FORWARDED", "")
    if not field or len(field) > MAX_FIELD:
        return
    if any(name.startswith("HTTP_X_FORWARDED_") for name in environ):
        return
    elements = [_parameters(element) for element in parse_http_list(field)]
    for parameter, name in _FIELDS.items():
        # An element without the parameter keeps its place, so that the right one is counted.
        values = (_quoted(element.get(parameter, "")) for element in elements)
        environ[f"HTTP_X_FORWARDED_{name}"] = ", ".join(values)


def _parameters(element: str) -> dict[str, str]:
    parameters = {k.lower(): v for k, v in parse_options_header(f"x;{element}")[1].items()}
    return parameters | {"for": _without_port(parameters.get("for", ""))}


def _without_port(node: str) -> str:
    """Return the IP address of a node (RFC 7239 §6)."""
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
