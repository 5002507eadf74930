"""Whether a POST comes from a page of ours: the guard against forged requests."""

from urllib.parse import urlsplit

from flask import request


def same_origin(base_url: str) -> bool:
    """Tell by Sec-Fetch-Site, else Origin, else Referer."""
    site = request.headers.get("Sec-Fetch-Site")  # only sent to https and to loopback
    if site is not None:
        return site == "same-origin"
    given = request.headers.get("Origin") or request.headers.get("Referer") or ""
    parts = urlsplit(given)
    return f"{parts.scheme}://{parts.netloc}" in (base_url, request.host_url.rstrip("/"))
