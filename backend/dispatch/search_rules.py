"""What somebody may mean who types a few characters into the search for orders."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from string import digits

from backend.dispatch.numbers import near_numbers, one_slip_away

LONGEST = 100
SHORTEST = 2
_SHORTEST_PHONE = 4
_PHONE = re.compile(r"[\d\s+()./-]+")
_CODE = re.compile(r"[\x21-\x7e]{4,64}")
_NUMBER_BEGINS = re.compile(r"WP-?([0-9A-Z]{2,9})")
_MOST_WORDS = 4
_LONGEST_SLIP = 24
# Vietnamese writes it as a letter of its own, not as a d with a mark.
_BARRED = str.maketrans("đĐ", "dd")
# Those of the Latin alphabets of the region and its neighbours, as `dispatch_folded` knows them.
_MARKS = dict.fromkeys(
    map(
        ord,
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u031b"
        "\u0323\u0324\u0326\u0327\u0328",
    )
)


@dataclass(frozen=True, slots=True)
class Sought:
    """The spellings under which an order may be kept that somebody asks for.

    `phone` are the last digits of a number, at least four. `words` are those of a name, folded.
    """

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
            if len(code) <= _LONGEST_SLIP and any(each in digits for each in code):
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
        numbers=tuple(near_numbers(text)),
        number_begins=f"WP-{begins[1]}" if begins else None,
        codes=tuple(dict.fromkeys((code, code.upper()))) if _CODE.fullmatch(code) else (),
        phone=last_digits(text),
        words=name_words(text),
    )


def last_digits(text: str) -> str | None:
    """The digits that a phone number ends with, however it is spelled; None for what is none."""
    found = "".join(character for character in text if character in digits)
    if not _PHONE.fullmatch(text) or not text.isascii() or len(found) < _SHORTEST_PHONE:
        return None
    if len(found) >= 8:
        # What is dialled before a number, in the country or from abroad, is not part of it.
        found = found.lstrip("0")
    return found[-15:] if len(found) >= _SHORTEST_PHONE else None


def name_words(text: str) -> tuple[str, ...]:
    """The words of a name, folded; none where there is no letter."""
    words = re.findall(r"\w+", fold(text))
    return tuple(word for word in words if any(map(str.isalpha, word)))[:_MOST_WORDS]


def fold(text: str) -> str:
    """`text` in lower case and without the marks that Latin letters carry.

    Does to a query what the database's `dispatch_folded` does to a name.
    """
    return unicodedata.normalize("NFD", text.translate(_BARRED).lower()).translate(_MARKS)
