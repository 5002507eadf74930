"""Media types of images, detected from their bytes; the declared type is not used."""

import re

_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>)*+<svg[\s>]", re.S
)
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.S), "image/webp"),
    (re.compile(rb".{4}ftypavi[fs]", re.S), "image/avif"),
    (_SVG, "image/svg+xml"),
)


def type_of(body: bytes) -> str:
    """Return the media type of a picture that browsers show, "" for anything else."""
    start = body[:4_096]
    return next((kind for form, kind in _SIGNATURES if form.match(start)), "")
