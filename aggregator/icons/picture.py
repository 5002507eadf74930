"""A picture of any size as a small icon: decoded, scaled, and written as a new PNG.

Only `child` imports this module, in a process of its own: decoders of pictures are written in C,
and their input comes from strangers.
"""

import io

from PIL import Image, ImageOps
from PIL.IcoImagePlugin import IcoImageFile

SIZE = 32
"""Pixels of the largest side: 16 on a page, for screens with two pixels in the place of one."""

SMALLEST, LARGEST = 8, 4_096
"""Sides of the pictures that are read, in pixels; 16 million of them take 64 MB."""

MOST_OBLONG = 1.2
"""Proportion of the sides up to which a picture counts as square: others are banners."""

FORMATS = ("PNG", "ICO", "JPEG", "GIF", "WEBP")


class Unusable(Exception):
    """The picture can't serve as an icon; the message says why."""


def icon(body: bytes) -> bytes:
    """Return a picture as a square PNG of at most `SIZE` pixels, of an animation the first frame.

    Nothing of the file but its pixels is kept. A smaller picture keeps its size.

    Raises:
        Unusable: It is no square picture of a known format.
    """
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as picture:
            _check(*picture.size)
            _choose_size(picture)
            pixels = picture.convert("RGBA")
    except Unusable:
        raise
    except Exception as error:
        raise Unusable(f"can't be read ({type(error).__name__})") from error
    if pixels.getchannel("A").getextrema()[1] == 0:
        raise Unusable("is transparent everywhere")
    side = min(SIZE, max(pixels.size))
    drawn = ImageOps.pad(pixels, (side, side), Image.Resampling.LANCZOS, color=(0, 0, 0, 0))
    drawn.info.clear()
    written = io.BytesIO()
    drawn.save(written, "PNG", optimize=True)
    return written.getvalue()


def _check(width: int, height: int) -> None:
    small, large = sorted((width, height))
    if small < SMALLEST:
        raise Unusable(f"has {width} × {height} pixels, too few for an icon")
    if large > LARGEST:
        raise Unusable(f"has {width} × {height} pixels, more than {LARGEST} in a row")
    if large > small * MOST_OBLONG:
        raise Unusable(f"has {width} × {height} pixels and is not square")


def _choose_size(picture: Image.Image) -> None:
    """Of a file with several sizes choose the best; let the decoder scale down if it can."""
    if isinstance(picture, IcoImageFile):
        sizes = sorted(picture.info["sizes"])
        picture.size = next((size for size in sizes if min(size) >= SIZE), sizes[-1])
        _check(*picture.size)
    picture.draft("RGB", (2 * SIZE, 2 * SIZE))  # JPEG only: decodes an eighth of 3,000 pixels
