"""The guard against forged POST requests (CSRF)."""

from urllib.parse import urlsplit

from flask import request


def same_origin(base_url: str) -> bool:
    """Return whether a request comes from a page of this site.

    Decided by Sec-Fetch-Site, else Origin, else Referer.
    """
    site = request.headers.get("Sec-Fetch-Site")  # browsers send it to https and loopback only
    if site is not None:
        return site == "same-origin"
    parts = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return f"{parts.scheme}://{parts.netloc}" in (base_url, request.host_url.rstrip("/"))
