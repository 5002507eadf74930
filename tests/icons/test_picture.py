"""Pictures become small PNG files, or are refused with a reason."""

import io
import zlib

import pytest
from PIL import Image, PngImagePlugin

from aggregator.icons.picture import LARGEST, SIZE, SMALLEST, Unusable, icon
from tests.icons.pictures import RED, opened, picture


@pytest.mark.parametrize("format", ["PNG", "ICO", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize(("side", "becomes"), [(16, 16), (SIZE, SIZE), (48, SIZE), (180, SIZE)])
def test_a_square_picture_becomes_a_small_png(format: str, side: int, becomes: int) -> None:
    image = opened(icon(picture((side, side), format)))
    assert (image.format, image.size) == ("PNG", (becomes, becomes))
    red, green, _, alpha = image.convert("RGBA").getpixel((8, 8))  # type: ignore[misc]
    assert red > 180 > 60 > green
    assert alpha == 255


def test_the_best_size_of_a_file_with_several_is_chosen() -> None:
    written = io.BytesIO()
    large = Image.new("RGBA", (64, 64), RED)
    small = [Image.new("RGBA", (side, side), (0, 0, 200, 255)) for side in (16, 32)]
    large.save(written, "ICO", sizes=[(16, 16), (32, 32), (64, 64)], append_images=small)
    image = opened(icon(written.getvalue()))
    assert image.size == (32, 32)
    assert image.convert("RGBA").getpixel((8, 8)) == (0, 0, 200, 255)


def test_a_nearly_square_picture_is_padded() -> None:
    image = opened(icon(picture((120, 100)))).convert("RGBA")
    assert image.size == (SIZE, SIZE)
    assert image.getpixel((16, 0)) == (0, 0, 0, 0)
    assert image.getpixel((16, 16)) == RED


def test_nothing_but_the_pixels_is_kept() -> None:
    written, secret = io.BytesIO(), "taken at home"
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", secret)
    Image.new("RGBA", (64, 64), RED).save(
        written, "PNG", pnginfo=info, icc_profile=b"profile" * 9, exif=b"Exif\0\0" + secret.encode()
    )
    kept = opened(icon(written.getvalue()))
    assert kept.info == {}


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG file that says it has very many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + check

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x06\0\0\0"
    body = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(picture((121, 100)), "not square", id="too wide"),
        pytest.param(picture((100, 121)), "not square", id="too high"),
        pytest.param(picture((SMALLEST - 1, 20)), "too few", id="too small"),
        pytest.param(bomb(LARGEST + 1, LARGEST + 1), "more than 4096", id="too large"),
        pytest.param(bomb(60_000, 60_000), "can't be read|more than", id="a bomb"),
        pytest.param(picture(color=(0, 0, 0, 0)), "transparent", id="nothing to see"),
        pytest.param(picture()[:90], "can't be read", id="cut off"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "can't be read", id="SVG"),
        pytest.param(picture(format="TIFF"), "can't be read", id="another format"),
        pytest.param(b"<html>", "can't be read", id="a page"),
        pytest.param(b"", "can't be read", id="nothing"),
    ],
)
def test_other_pictures_are_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        icon(body)


@pytest.mark.parametrize("side", [SMALLEST, LARGEST])
def test_the_limits_are_within(side: int) -> None:
    assert opened(icon(picture((side, side), "GIF"))).size == (min(side, SIZE),) * 2
