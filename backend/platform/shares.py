"""Shares as people read them: the number, a space, the sign."""

from __future__ import annotations


def percent(share: float, digits: int = 1) -> str:
    """A share of one, zeroes at its end left out: `25 %`, `99.9 %`, `1,367 %`."""
    text = f"{100 * share:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} %"
