"""Small pictures as phones take them at the door: a parcel before a door, and a signature."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from math import sin
from random import Random

Colour = tuple[int, int, int]

_WIDTH, _HEIGHT = 160, 120
_DOORS: tuple[Colour, ...] = ((122, 60, 48), (46, 84, 110), (70, 92, 60), (150, 110, 60))


def photo(rng: Random) -> bytes:
    """A PNG of a parcel on the floor before a door."""
    wall = tuple(rng.randint(150, 225) for _ in range(3))
    door = rng.choice(_DOORS)
    left, width = rng.randint(45, 75), rng.randint(34, 46)
    box_left, box_size = rng.randint(20, 110), rng.randint(18, 34)

    def colour(x: int, y: int) -> Colour:
        grain = (x * 7 + y * 13) % 9 - 4
        floor = y > 96
        if box_left <= x < box_left + box_size and 110 - box_size <= y < 110:
            tape = abs(x - box_left - box_size // 2) < 2
            return (214, 190, 150) if tape else (170 + grain, 124 + grain, 74)
        if left <= x < left + width and 22 <= y <= 96:
            return door if (x - left) % (width // 2) else (20, 20, 20)
        if floor:
            return (110 + grain, 104 + grain, 98 + grain)
        return (wall[0] + grain, wall[1] + grain, wall[2] + grain)

    return _png(_WIDTH, _HEIGHT, colour)


def signature(rng: Random) -> bytes:
    """A PNG of a line drawn by hand on white."""
    waves = [(rng.uniform(0.05, 0.22), rng.uniform(0, 6), rng.uniform(5, 15)) for _ in range(3)]
    heights = [
        60 + sum(size * sin(speed * x + phase) for speed, phase, size in waves)
        for x in range(_WIDTH)
    ]

    def colour(x: int, y: int) -> Colour:
        drawn = 14 < x < 146 and abs(y - heights[x]) < 1.6
        return (24, 32, 84) if drawn else (252, 252, 250)

    return _png(_WIDTH, _HEIGHT, colour)


def _png(width: int, height: int, colour: Callable[[int, int], Colour]) -> bytes:
    """An image in the format of https://www.w3.org/TR/png/, eight bits for each of red to blue."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(width) for part in colour(x, y)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
