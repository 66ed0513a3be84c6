"""Small drawings as SVG paths, made on the server from a handful of numbers."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 120
HEIGHT = 32


def sparkline(values: Sequence[float]) -> tuple[str, str]:
    """Line and filled area of `values` over a box of 120 by 32; empty for fewer than two.

    The area stands on zero, so that the height tells the size and not only the change.
    """
    if len(values) < 2:
        return "", ""
    top = max(*values, 1)
    step = WIDTH / (len(values) - 1)
    points = " L".join(
        f"{index * step:.1f} {HEIGHT - 1 - (HEIGHT - 3) * value / top:.1f}"
        for index, value in enumerate(values)
    )
    return f"M{points}", f"M0 {HEIGHT} L{points} L{WIDTH} {HEIGHT} Z"


def spoken_seconds(seconds: float | None) -> str:
    """A duration in its largest fitting unit: `0.8 s`, `42 s`, `5 min`, `3 h`, `2 d`."""
    if seconds is None:
        return "none yet"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
