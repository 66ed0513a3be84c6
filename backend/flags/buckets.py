"""Which share of users a bucketing key falls into: flagd's bucketing v3, murmur3 over CBOR."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2
import mmh3

MOST_WEIGHT = 2_147_483_647
"""The sum of weights may be no higher: the largest signed integer of 32 bits."""

_TEXT = 0x60
_PAIR = b"\x82"


@dataclass(frozen=True, slots=True)
class Shares:
    """Variants with the end of each one's range, out of `total`."""

    ends: tuple[int, ...]
    variants: tuple[Any, ...]
    total: int

    def pick(self, encoded: bytes) -> Any:
        """The variant of a key that is encoded as CBOR."""
        bucket = (mmh3.hash(encoded, signed=False) * self.total) >> 32
        return self.variants[bisect_right(self.ends, bucket)]


def shares_of(pairs: Sequence[Any]) -> Shares | None:
    """Shares of `[variant, weight]` pairs, None where they are none: flagd then picks nothing.

    A weight left out counts 1, one below zero counts 0.
    """
    ends: list[int] = []
    variants: list[Any] = []
    total = 0
    for pair in pairs:
        if not isinstance(pair, list | tuple) or not 1 <= len(pair) <= 2:
            return None
        weight = pair[1] if len(pair) == 2 else 1
        if isinstance(weight, bool) or not isinstance(weight, int):
            return None
        total += max(0, weight)
        ends.append(total)
        variants.append(pair[0])
    if not 0 < total <= MOST_WEIGHT:
        return None
    return Shares(tuple(ends), tuple(variants), total)


def encode_text(text: str) -> bytes:
    """A string as CBOR; raises UnicodeEncodeError for half a surrogate pair."""
    raw = text.encode()
    size = len(raw)
    if size < 24:
        return bytes((_TEXT | size,)) + raw
    if size < 0x100:
        return bytes((_TEXT | 24, size)) + raw
    if size < 0x10000:
        return bytes((_TEXT | 25, size >> 8, size & 0xFF)) + raw
    return bytes((_TEXT | 26,)) + size.to_bytes(4, "big") + raw


def encode_pair(first: bytes, second: str) -> bytes:
    """A list of two strings as CBOR, the first of them encoded already."""
    return _PAIR + first + encode_text(second)


def encode(key: Any) -> bytes | None:
    """Any bucketing key as canonical CBOR, None for what CBOR cannot hold."""
    try:
        if type(key) is str:
            return encode_text(key)
        encoded: bytes = cbor2.dumps(_whole_numbers(key), canonical=True)
    except (cbor2.CBOREncodeError, RecursionError, UnicodeError, ValueError, TypeError):
        return None
    return encoded


def _whole_numbers(value: Any) -> Any:
    """Floats without a fraction as integers, within 64 bits, as every flagd writes them."""
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value <= 2**64 - 1:
        return int(value)
    return value
