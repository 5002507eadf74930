"""Pictures that tests make: one colour, any size and format."""

import io

from PIL import Image

RED = (200, 30, 30, 255)


def picture(
    size: tuple[int, int] = (64, 64), format: str = "PNG", color: tuple[int, ...] = RED
) -> bytes:
    """Return a picture in one colour."""
    written = io.BytesIO()
    mode = "RGB" if format == "JPEG" else "RGBA"
    Image.new(mode, size, color[: len(mode)]).save(written, format)
    return written.getvalue()


def opened(body: bytes) -> Image.Image:
    """Return a picture, read."""
    image = Image.open(io.BytesIO(body))
    image.load()
    return image
