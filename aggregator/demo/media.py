"""Generated images and sounds of the demo: a landscape as PNG, a short tune as WAV."""

import math
import random
import re
import struct
import zlib
from functools import lru_cache

WIDTH, HEIGHT = 480, 270
RATE, AUDIO_SECONDS = 8000, 6
AUDIO_BYTES = 44 + RATE * AUDIO_SECONDS
TONES = (262, 294, 330, 392, 440, 523)
BAND, MAX_SKY = 6, 200


@lru_cache(maxsize=64)
def picture(name: str) -> bytes:
    """Draw a sky, a sun and three ranges of hills; deterministic for a name.

    A name may end with a size of at most 999 pixels: `hills-600x900`.
    """
    rng = random.Random(name)  # noqa: S311 - draws hills
    size = re.search(r"-(\d{2,3})x(\d{2,3})$", name)
    width, height = (int(size[1]), int(size[2])) if size else (WIDTH, HEIGHT)
    band = max(BAND, -(-height // MAX_SKY))
    sky = -(-height // band)
    palette = _palette(rng, sky)
    hills = [_ridge(rng, round(height * share), width) for share in (0.56, 0.69, 0.83)]
    sun_x, sun_y = rng.randint(60, max(61, width - 60)), rng.randint(height // 7, height * 4 // 9)
    radius = min(rng.randint(16, 30), 55)
    rows = bytearray()
    for y in range(height):
        row = bytearray([y // band]) * width
        half = math.isqrt(max(radius**2 - (y - sun_y) ** 2, 0))
        row[sun_x - half : sun_x + half] = bytes([sky]) * (2 * half)
        for depth, ridge in enumerate(hills):
            colour = sky + 1 + depth
            row = bytearray(colour if y >= ridge[x] else old for x, old in enumerate(row))
        rows += b"\0" + row
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(bytes(rows))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IEND", b"")))


def _palette(rng: random.Random, sky: int) -> bytes:
    """Return the palette: `sky` bands from top to horizon, the sun, three hills."""
    top = (rng.randint(40, 110), rng.randint(90, 150), rng.randint(150, 210))
    low = (rng.randint(225, 255), rng.randint(190, 225), rng.randint(150, 200))
    colours = [
        tuple(round(a + (b - a) * band / (sky - 1)) for a, b in zip(top, low, strict=True))
        for band in range(sky)
    ]
    colours.append((255, 244, 214))
    green = (rng.randint(60, 110), rng.randint(100, 140), rng.randint(90, 130))
    colours += [tuple(int(c * shade) for c in green) for shade in (1.0, 0.75, 0.5)]
    return bytes(part for colour in colours for part in colour)


def _ridge(rng: random.Random, base: int, width: int) -> list[int]:
    """Return the height of a range of hills in each column."""
    waves = [(rng.uniform(60, 160), rng.uniform(0, 6), rng.uniform(6, 18)) for _ in "123"]
    return [
        round(base + sum(size * math.sin(x / length + turn) for length, turn, size in waves))
        for x in range(width)
    ]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=16)
def tune(name: str) -> bytes:
    """Render twelve notes as WAV, 8 bit mono; deterministic for a name."""
    rng = random.Random(name)  # noqa: S311 - picks notes
    notes = [rng.choice(TONES) for _ in range(AUDIO_SECONDS * 2)]
    length = RATE // 2
    samples = bytes(
        round(128 + 90 * math.exp(-3 * i / length) * math.sin(2 * math.pi * tone * i / RATE))
        for tone in notes
        for i in range(length)
    )
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data
