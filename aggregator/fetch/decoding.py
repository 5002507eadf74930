"""Decodes content codings instead of libcurl, also where Content-Encoding is wrong.

Servers name no coding (`none`, `utf-8`, `aws-chunked`), send plain text as `gzip`, or send gzip
without saying so. The bytes decide: text is text, and at most one layer is removed.

libcurl accepts a truncated compressed body as complete. Half a feed with a new ETag would hide the
other half until the feed changes again.
"""

import re
import zlib
from collections.abc import Callable, Sequence

import brotli  # type: ignore[import-untyped]
import zstandard

from aggregator.fetch.attempt import Fault
from aggregator.models.poll import FailureKind

ACCEPTED = "gzip, br, zstd"

_HEAD = 512
"""Bytes in which a compressed body has control characters, and a text has none."""

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"[<{]")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"\x00\x00")
"""How a document in UTF-16 or UTF-32 begins."""

_MAGIC = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
"""First bytes of bodies in a coding that the server did not name."""

_GZIP_MEMBERS = 16
"""Maximum members of a gzip body. Servers send one; each costs a copy of the rest."""


def decode(codings: Sequence[str], body: bytes, limit: int) -> bytes | Fault:
    """Decode a body; a decompression bomb costs at most `limit` bytes for each coding tried.

    Args:
        codings: The members of Content-Encoding.
        body: The encoded body.
        limit: Maximum decoded bytes.
    """
    names = [coding.lower() for coding in reversed(codings)]
    named = [name for name in names if name in _DECODERS]
    faults = []
    for coding in dict.fromkeys((*named, *_codings_of(body))):
        decoded = _decode(coding, body, limit)
        if isinstance(decoded, Fault):
            faults.append(decoded)
        elif len(named) > 1 and not _is_text(decoded):
            reason = "the body is encoded more than once, as only attacks do"
            faults.append(Fault(FailureKind.ENCODING, reason))
        else:
            return decoded
    if _is_text(body):
        return body
    unknown = [name for name in names if name not in _DECODERS and name != "identity"]
    if unknown:
        reason = f"the body is encoded as {unknown[0][:40]!a}; we accept {ACCEPTED}"
        faults.append(Fault(FailureKind.ENCODING, reason))
    return faults[0] if faults else body


def _is_text(body: bytes) -> bool:
    head = body[:_HEAD]
    return head.startswith(_WIDE) or bool(_MARKUP.search(head) and not _CONTROL.search(head))


def _codings_of(body: bytes) -> list[str]:
    return [coding for magic, coding in _MAGIC if body.startswith(magic)]


def _decode(coding: str, body: bytes, limit: int) -> bytes | Fault:
    try:
        decoded, whole = _DECODERS[coding](body, limit + 1)
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


def _deflate(body: bytes, most: int) -> tuple[bytes, bool]:
    """Decode a zlib stream, or a bare deflate stream as some servers send (RFC 9110 §8.4.1.2)."""
    is_zlib = body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return decoder.decompress(body, most), decoder.eof


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
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
