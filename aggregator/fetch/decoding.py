"""Decodes content codings instead of libcurl.

libcurl accepts a truncated compressed body as complete. Half a feed with a new ETag would hide the
other half until the feed changes again.
"""

import zlib
from collections.abc import Callable, Sequence

import brotli  # type: ignore[import-untyped]
import zstandard

from aggregator.fetch.attempt import Fault
from aggregator.models.poll import FailureKind

ACCEPTED = "gzip, br, zstd"

_GZIP_MEMBERS = 16
"""Maximum members of a gzip body. Servers send one; each costs a copy of the rest."""


def decode(codings: Sequence[str], body: bytes, limit: int) -> bytes | Fault:
    """Decode a body; a decompression bomb costs at most `limit` bytes.

    Args:
        codings: The members of Content-Encoding.
        body: The encoded body.
        limit: Maximum decoded bytes.
    """
    codings = [coding for coding in codings if coding.lower() != "identity"]
    if not codings:
        return body
    if len(codings) > 1:
        reason = "the body is encoded more than once, as only attacks do"
        return Fault(FailureKind.ENCODING, reason)
    [coding] = codings
    decoder = _DECODERS.get(coding.lower())
    if decoder is None:
        reason = f"the body is encoded as {coding[:40]!a}; we accept {ACCEPTED}"
        return Fault(FailureKind.ENCODING, reason)
    try:
        decoded, whole = decoder(body, limit + 1)
    except (zlib.error, brotli.error, zstandard.ZstdError):
        reason = f"the body is not valid {coding}, although Content-Encoding says so"
        return Fault(FailureKind.ENCODING, reason)
    if len(decoded) > limit:
        return too_large(limit, f"sent {len(body):,} bytes that decode to more")
    if not whole:
        return Fault(FailureKind.TRUNCATED, f"the {coding} body is truncated")
    return decoded


def too_large(limit: int, action: str) -> Fault:
    """Return the fault for a body beyond the limit; `action` completes "the server …"."""
    reason = f"the body is larger than {limit:,} bytes (limit `body`): the server {action}"
    return Fault(FailureKind.TOO_LARGE, reason)


def _gzip(body: bytes, most: int) -> tuple[bytes, bool]:
    """Decode up to 16 members (RFC 1952 §2.2); bytes after the last are padding."""
    decoded = b""
    for _ in range(_GZIP_MEMBERS):
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        decoded += member.decompress(body, most - len(decoded))
        if not member.eof or len(decoded) >= most:
            return decoded, False
        body = member.unused_data
        if not body.startswith(b"\x1f\x8b"):
            return decoded, True
    return decoded, False


def _brotli(body: bytes, most: int) -> tuple[bytes, bool]:
    decoder = brotli.Decompressor()
    return decoder.process(body, output_buffer_limit=most), decoder.is_finished()


def _zstd(body: bytes, most: int) -> tuple[bytes, bool]:
    """Decode one frame (RFC 8878 §3.1) with the window size of RFC 9659 §3."""
    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    with decoder.stream_reader(body) as reader:
        decoded = reader.read(most)
    if len(decoded) >= most:
        return decoded, False
    # Only decompressobj reports the end of a frame, but it has no size limit; this body is known
    # to fit.
    whole = decoder.decompressobj()
    whole.decompress(body)
    return decoded, whole.eof


_DECODERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "br": _brotli,
    "zstd": _zstd,
}
