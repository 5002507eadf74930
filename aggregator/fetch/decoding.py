"""Content codings, undone here and not in libcurl.

libcurl takes a compressed body that stops too soon for a whole one. Half a feed with a new ETag
would then hide its other half until the feed changes again.
"""

import zlib
from collections.abc import Callable, Sequence

import brotli  # type: ignore[import-untyped]
import zstandard

from aggregator.fetch.attempt import Fault
from aggregator.models.poll import FailureKind

ACCEPTED = "gzip, br, zstd"

_GZIP_MEMBERS = 16
"""Pieces of one gzip body; servers send one, and each costs a copy of the rest."""


def decode(codings: Sequence[str], body: bytes, limit: int) -> bytes | Fault:
    """Undo a content coding; a bomb costs no more than `limit` bytes.

    Args:
        codings: The members of Content-Encoding.
        body: As it came.
        limit: Decoded bytes at most.
    """
    codings = [coding for coding in codings if coding.lower() != "identity"]
    if not codings:
        return body
    if len(codings) > 1:
        words = "the body is encoded more than once, which only an attack needs"
        return Fault(FailureKind.ENCODING, words)
    [coding] = codings
    decoder = _DECODERS.get(coding.lower())
    if decoder is None:
        words = f"the body is encoded as {coding[:40]!a}; asked for was {ACCEPTED}"
        return Fault(FailureKind.ENCODING, words)
    try:
        decoded, whole = decoder(body, limit + 1)
    except (zlib.error, brotli.error, zstandard.ZstdError):
        words = f"the body is not the {coding} that its Content-Encoding says"
        return Fault(FailureKind.ENCODING, words)
    if len(decoded) > limit:
        return too_large(limit, f"sent {len(body):,} bytes that grow beyond it")
    if not whole:
        return Fault(FailureKind.TRUNCATED, f"the body was cut off: its {coding} has no end")
    return decoded


def too_large(limit: int, what: str) -> Fault:
    """Return the fault of a body beyond the limit; `what` the server did."""
    words = f"the body is larger than {limit:,} bytes (limit `body`): the server {what}"
    return Fault(FailureKind.TOO_LARGE, words)


def _gzip(body: bytes, most: int) -> tuple[bytes, bool]:
    """Read up to 16 members (RFC 1952 §2.2); what follows the last is padding."""
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
    """Read one frame (RFC 8878 §3.1), with the window that RFC 9659 §3 allows."""
    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    with decoder.stream_reader(body) as reader:
        decoded = reader.read(most)
    if len(decoded) >= most:
        return decoded, False
    # Only the other way of reading tells the end of a frame, but it knows no limit of size.
    whole = decoder.decompressobj()
    whole.decompress(body)
    return decoded, whole.eof


_DECODERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "br": _brotli,
    "zstd": _zstd,
}
