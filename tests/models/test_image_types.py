"""Types of images are recognised by their bytes."""

import pytest

from aggregator.models import image_types


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"<svg>", "image/svg+xml"),
        (
            b'\xef\xbb\xbf <?xml version="1.0"?><!-- a -->\n<!DOCTYPE svg>\n<svg xmlns="">',
            "image/svg+xml",
        ),
        (b"", ""),
        (b"RIFF\x24\x00\x00\x00WAVE", ""),
        (b"\x00\x00\x00\x20ftypmp42", ""),
        (b"<html><svg>", ""),
        (b"<script>alert(1)</script>", ""),
        (b"<svgs>", ""),
    ],
)
def test_type_of_image_bytes(body: bytes, kind: str) -> None:
    assert image_types.type_of(body) == kind


def test_long_text_costs_little() -> None:
    assert image_types.type_of(b" <!--" * 100_000) == ""
