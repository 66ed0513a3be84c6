"""A street grid that looks like a city's: turned, uneven and gently bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, pi, radians, sin
from random import Random
from typing import NamedTuple

_METRES_PER_DEGREE = 111_195.08
# Every fourth street is a main road: faster, and with traffic lights where two of them cross.
_MAIN_EVERY = 4
_BEND_LENGTH_M = 2600.0
_LIGHT_PROBABILITY = 0.35

Point = tuple[float, float]
"""Metres along and across the grid."""


class Node(NamedTuple):
    """The end of a stretch of road: where, whether on a main road, and what happens there."""

    along: float
    across: float
    main: bool
    turn: bool
    wait_s: float


@dataclass(frozen=True, slots=True)
class Streets:
    """A grid about a centre; its plane is bent by sines so that streets curve but never cross.

    A point's map from grid to ground stretches no length by more than `stretch`.
    """

    lat: float
    lon: float
    bearing_deg: float
    block_m: float
    bend_m: float
    phase: float = 0.0

    @property
    def stretch(self) -> float:
        """The largest ratio of a length on the ground to the same on the grid."""
        return 1 + self.bend_m * 2 * pi / _BEND_LENGTH_M

    def to_ground(self, along: float, across: float) -> tuple[float, float]:
        """Latitude and longitude of a grid point."""
        k = 2 * pi / _BEND_LENGTH_M
        x = along + self.bend_m * sin(k * across + self.phase)
        y = across + self.bend_m * sin(k * along + 2 * self.phase)
        turn = radians(self.bearing_deg)
        east, north = x * cos(turn) + y * sin(turn), y * cos(turn) - x * sin(turn)
        scale = _METRES_PER_DEGREE * cos(radians(self.lat))
        return self.lat + north / _METRES_PER_DEGREE, self.lon + east / scale

    def to_grid(self, lat: float, lon: float) -> Point:
        """The grid point of a place, to a centimetre."""
        east = (lon - self.lon) * _METRES_PER_DEGREE * cos(radians(self.lat))
        north = (lat - self.lat) * _METRES_PER_DEGREE
        turn = radians(self.bearing_deg)
        x, y = east * cos(turn) - north * sin(turn), north * cos(turn) + east * sin(turn)
        k = 2 * pi / _BEND_LENGTH_M
        along, across = x, y
        # Converges because the bend's slope is below one.
        for _ in range(24):
            along, across = (
                x - self.bend_m * sin(k * across + self.phase),
                y - self.bend_m * sin(k * along + 2 * self.phase),
            )
        return along, across

    def heading_deg(self, at: Point, towards: Point) -> float:
        """Degrees from north of someone at a grid point who drives straight at another."""
        k = 2 * pi / _BEND_LENGTH_M
        da, dc = towards[0] - at[0], towards[1] - at[1]
        dx = da + self.bend_m * k * cos(k * at[1] + self.phase) * dc
        dy = dc + self.bend_m * k * cos(k * at[0] + 2 * self.phase) * da
        return (degrees(atan2(dx, dy)) + self.bearing_deg) % 360

    def line(self, index: int) -> float:
        """Metres from the centre to a street; blocks differ in depth by up to a third."""
        uneven = ((index * 2654435761) & 0xFFFF) / 0xFFFF - 0.5
        return (index + uneven / 3) * self.block_m

    def nearest(self, metres: float) -> int:
        """The street closest to a distance from the centre."""
        guess = round(metres / self.block_m)
        return min((guess - 1, guess, guess + 1), key=lambda i: abs(self.line(i) - metres))

    def route(
        self, start: Point, end: Point, rng: Random, allowed: Callable[[Point], bool]
    ) -> list[Node]:
        """The way from start to end along streets, turning at junctions; ends at `end`.

        Of a few ways drawn at random the first is taken whose corners are all allowed, or else
        the one with the fewest that are not.
        """
        best: list[Node] = []
        fewest = 1 << 30
        for _ in range(4):
            way = self._draw(start, end, rng)
            outside = sum(not allowed((node.along, node.across)) for node in way)
            if outside < fewest:
                best, fewest = way, outside
            if not outside:
                break
        return self._with_lights(start, best, rng)

    def _draw(self, start: Point, end: Point, rng: Random) -> list[Node]:
        first, last = self.nearest(start[1]), self.nearest(end[1])
        corners: list[tuple[float, float, bool]] = [(start[0], self.line(first), False)]
        if first != last:
            turns = min(rng.choice((1, 1, 2, 2, 3)), abs(last - first))
            left, right = self.nearest(start[0]), self.nearest(end[0])
            low, high = min(left, right), max(left, right)
            cross = [self._prefer_main(rng.randint(low, high), low, high) for _ in range(turns)]
            cross.sort(reverse=left > right)
            lows, highs = min(first, last), max(first, last)
            rows = [self._prefer_main(rng.randint(lows, highs), lows, highs) for _ in cross[1:]]
            rows.sort(reverse=first > last)
            row = first
            for column, following in zip(cross, [*rows, last], strict=True):
                corners.append((self.line(column), self.line(row), row % _MAIN_EVERY == 0))
                row = following
                corners.append((self.line(column), self.line(row), column % _MAIN_EVERY == 0))
        corners.append((end[0], self.line(last), last % _MAIN_EVERY == 0))
        corners.append((end[0], end[1], False))
        nodes = []
        here = start
        for along, across, main in corners:
            if hypot(along - here[0], across - here[1]) > 1:
                nodes.append(Node(along, across, main, True, 0.0))
                here = (along, across)
        return nodes or [Node(end[0], end[1], False, True, 0.0)]

    def _prefer_main(self, index: int, low: int, high: int) -> int:
        main = round(index / _MAIN_EVERY) * _MAIN_EVERY
        return main if low <= main <= high else index

    def _with_lights(self, start: Point, way: list[Node], rng: Random) -> list[Node]:
        """The way with a node at each red light, where main roads cross."""
        done: list[Node] = []
        here = start
        for node in way:
            if node.main:
                done.extend(self._lights(here, node, rng))
            done.append(node)
            here = (node.along, node.across)
        return done

    def _lights(self, here: Point, node: Node, rng: Random) -> list[Node]:
        lengthwise = abs(node.along - here[0]) > abs(node.across - here[1])
        begin, end = (here[0], node.along) if lengthwise else (here[1], node.across)
        step = 1 if end > begin else -1
        red = []
        for index in range(self.nearest(begin), self.nearest(end), step):
            if index % _MAIN_EVERY or rng.random() > _LIGHT_PROBABILITY:
                continue
            at = self.line(index) - step * 12
            if (at - begin) * step > 20 and (end - at) * step > 20:
                place = (at, node.across) if lengthwise else (node.along, at)
                red.append(Node(place[0], place[1], True, False, rng.uniform(8, 55)))
        return red
