"""How people spell what they look for: phone numbers, names with and without marks, slips."""

from __future__ import annotations

import re
import unicodedata
from string import digits

_SHORTEST_PHONE = 4
_PHONE = re.compile(r"[\d\s+()./-]+")
_MOST_WORDS = 4
# Not `\w`, which leaves out the vowels that Thai writes above and below.
_BETWEEN_WORDS = re.compile(r"[\s,.;:()\"/+_-]+")
# Vietnamese writes it as a letter of its own, not as a d with a mark.
_BARRED = str.maketrans("đĐ", "dd")
# Those of the Latin alphabets of the region and its neighbours, as `search_folded` knows them.
_MARKS = dict.fromkeys(
    map(
        ord,
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u031b"
        "\u0323\u0324\u0326\u0327\u0328",
    )
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
    words = _BETWEEN_WORDS.split(fold(text))
    return tuple(word for word in words if any(map(str.isalpha, word)))[:_MOST_WORDS]


def fold(text: str) -> str:
    """`text` in lower case and without the marks that Latin letters carry.

    Does to a query what the database's `search_folded` does to a name.
    """
    return unicodedata.normalize("NFD", text.translate(_BARRED).lower()).translate(_MARKS)


def one_slip_away(text: str, alphabet: str) -> set[str]:
    """What comes of one wrong, missing, extra or swapped character; not the text itself."""
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    slips = {head + tail[1:] for head, tail in cuts if tail}
    slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    slips |= {head + each + tail[1:] for head, tail in cuts if tail for each in alphabet}
    slips |= {head + each + tail for head, tail in cuts for each in alphabet}
    return slips - {text}
