"""The guard against forged POST requests (CSRF)."""

from flask import request

from aggregator.models.urls import origin_of


def same_origin(address: str) -> bool:
    """Return whether a request comes from a page of this site.

    Decided by Sec-Fetch-Site, else Origin, else Referer.

    Args:
        address: The address of the site.
    """
    site = request.headers.get("Sec-Fetch-Site")  # browsers send it to https and loopback only
    if site is not None:
        return site == "same-origin"
    origin = origin_of(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return origin != "" and origin in (origin_of(address), origin_of(request.host_url))
