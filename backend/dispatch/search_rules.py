"""What somebody may mean who types a few characters into the search for orders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import digits

from backend.dispatch.numbers import near_numbers, read_number
from backend.platform.spelling import last_digits, name_words, one_slip_away

LONGEST = 100
SHORTEST = 2
_CODE = re.compile(r"[\x21-\x7e]{4,64}")
_NUMBER_BEGINS = re.compile(r"WP-?([0-9A-Z]{2,9})")
_LONGEST_SLIP = 24
_PREFIX = "WP-"


@dataclass(frozen=True, slots=True)
class Sought:
    """The spellings under which an order may be kept that somebody asks for.

    `number` is what was typed, `numbers` holds those near it too. `phone` are the last digits of a
    number, at least four. `words` are those of a name, folded.
    """

    number: str | None = None
    numbers: tuple[str, ...] = ()
    number_begins: str | None = None
    codes: tuple[str, ...] = ()
    phone: str | None = None
    words: tuple[str, ...] = ()

    @property
    def near_codes(self) -> list[str]:
        """References and barcodes one slip away: a wrong, missing, extra or swapped character."""
        near: set[str] = set()
        for code in self.codes:
            is_ours = code.upper().startswith(_PREFIX)
            if not is_ours and len(code) <= _LONGEST_SLIP and any(map(digits.__contains__, code)):
                near |= one_slip_away(code, digits)
        return sorted(near - set(self.codes))


def read_query(q: str) -> Sought:
    """What the query may mean; nothing for one that is too short to mean anything."""
    text = " ".join(q.split())[:LONGEST]
    if len(text) < SHORTEST or "\x00" in text:
        return Sought()
    code = text.replace(" ", "")
    begins = _NUMBER_BEGINS.fullmatch(text.upper())
    return Sought(
        number=read_number(text) or read_number(text[2:]),
        numbers=tuple(near_numbers(text)),
        number_begins=f"WP-{begins[1]}" if begins else None,
        codes=tuple(dict.fromkeys((code, code.upper()))) if _CODE.fullmatch(code) else (),
        phone=last_digits(text),
        # Nobody is called by a figure, which every number, reference and barcode has.
        words=() if any(each in digits for each in text) else name_words(text),
    )
