"""Public order numbers: `WP-` and ten Crockford base32 characters, the last a check character."""

from __future__ import annotations

import secrets

from backend.platform.spelling import one_slip_away

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
    """What was typed where it is a number, then every number that is one slip away from it.

    A slip is a wrong, missing, extra or swapped character. The check character leaves one in thirty
    of what could be, and all that is swapped: 32 is 1 modulo 31, so the order does not count in it.
    """
    typed = "".join(character for character in text.upper() if character.isalnum())
    body = typed.removeprefix("WP").translate(_READ_AS)
    if not _DIGITS <= len(body) <= _DIGITS + 2 or not body.isascii():
        return []
    near = (read_number(each) for each in (body, *sorted(one_slip_away(body, _ALPHABET))))
    return list(dict.fromkeys(number for number in near if number is not None))
