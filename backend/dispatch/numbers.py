"""Public order numbers: `WP-` and ten Crockford base32 characters, the last a check character."""

from __future__ import annotations

import secrets

# https://www.crockford.com/base32.html, whose check symbols above 31 are left out: the check is
# the value modulo 31, so that it stays within the plain alphabet.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")
_PREFIX = "WP-"
_DIGITS = 9


def new_number() -> str:
    """A fresh random number; 45 bits, so the caller still meets the unique index now and then."""
    return _spell(secrets.randbits(5 * _DIGITS))


def read_number(text: str) -> str | None:
    """The number that somebody typed, in its one spelling; None where it cannot be one."""
    plain = text.strip().upper()
    body = plain.removeprefix(_PREFIX).replace("-", "").translate(_READ_AS)
    if len(body) != _DIGITS + 1 or any(character not in _ALPHABET for character in body):
        return None
    value = 0
    for character in body[:_DIGITS]:
        value = value * 32 + _ALPHABET.index(character)
    spelled = _spell(value)
    return spelled if spelled == _PREFIX + body else None


def _spell(value: int) -> str:
    digits = ""
    for shift in range(5 * (_DIGITS - 1), -1, -5):
        digits += _ALPHABET[value >> shift & 31]
    return _PREFIX + digits + _ALPHABET[value % 31]


def near_numbers(text: str) -> list[str]:
    """Every number that is one slip away from what was typed: a wrong, missing, extra or swapped
    character. The check character leaves about one in thirty of what could be, so they are few.
    """
    typed = "".join(character for character in text.upper() if character.isalnum())
    body = typed.removeprefix("WP").translate(_READ_AS)
    if not _DIGITS <= len(body) <= _DIGITS + 2 or not body.isascii():
        return []
    exact = read_number(body)
    if exact is not None:
        return [exact]
    found = (read_number(each) for each in one_slip_away(body, _ALPHABET))
    return sorted({number for number in found if number is not None})


def one_slip_away(text: str, alphabet: str) -> set[str]:
    """What comes of one wrong, missing, extra or swapped character; not the text itself."""
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    slips = {head + tail[1:] for head, tail in cuts if tail}
    slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    slips |= {head + each + tail[1:] for head, tail in cuts if tail for each in alphabet}
    slips |= {head + each + tail for head, tail in cuts for each in alphabet}
    return slips - {text}
