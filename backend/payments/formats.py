"""How amounts are written for people of each country; what computers read is `money.plain`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from backend.platform.errors import FieldError, Invalid
from backend.platform.money import EXPONENTS, MOST_MINOR, Money

# Digits after the point as CLDR shows them: kip and kyat have cents in ISO 4217 that nobody uses.
_SHOWN = {**EXPONENTS, "LAK": 0, "MMK": 0}
# Where people count in lakh and crore, groups above the thousands have two digits.
_IN_LAKHS = frozenset({"BDT", "INR", "NPR"})
# Where a point parts the groups and a comma the decimals.
_COMMA_DECIMALS = frozenset({"IDR", "LAK", "VND"})


def amount(minor: int, currency: str) -> str:
    """The amount without its currency, grouped as its country does.

    `12,34,567.50` for 123456750 INR, `1.234.567,50` for IDR, `1.234.567` for 1234567 VND.
    """
    digits = _SHOWN[currency]
    value = Decimal(abs(minor)).scaleb(-EXPONENTS[currency])
    text = f"{value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP):f}"
    whole, _, rest = text.partition(".")
    comma = currency in _COMMA_DECIMALS
    grouped = ("." if comma else ",").join(_groups(whole, 2 if currency in _IN_LAKHS else 3))
    part = f"{',' if comma else '.'}{rest}" if rest else ""
    sign = "-" if minor < 0 and text.strip("0.") else ""
    return f"{sign}{grouped}{part}"


def with_code(minor: int, currency: str) -> str:
    """The amount with its ISO code behind it: `12,34,567.50 INR`."""
    return f"{amount(minor, currency)} {currency}"


def money(value: Money) -> str:
    """The same for a `Money`."""
    return with_code(value.minor, value.currency)


def _groups(whole: str, size: int) -> list[str]:
    head, tail = whole[:-3], whole[-3:]
    parts = [tail]
    while head:
        head, part = head[:-size], head[-size:]
        parts.append(part)
    return parts[::-1]


def read_amount(text: str, currency: str) -> Money:
    """What a person typed in major units, in the currency's own way of writing: `1,234.50`.

    Raises Invalid for what is no amount, has more decimals than the currency, or is not positive.
    """
    groups, point = (".", ",") if currency in _COMMA_DECIMALS else (",", ".")
    plain = text.strip().replace(groups, "").replace(point, ".")
    try:
        value = Decimal(plain)
    except InvalidOperation as error:
        raise _unread(f"{text or 'Nothing'} is not an amount.") from error
    if not value.is_finite() or not 0 < value.scaleb(EXPONENTS[currency]) <= MOST_MINOR:
        raise _unread("The amount has to be more than nothing, and not beyond all measure.")
    minor = value.scaleb(EXPONENTS[currency])
    if minor != minor.to_integral_value():
        raise _unread(f"{currency} has {EXPONENTS[currency]} decimals, not more.")
    return Money(minor=int(minor), currency=currency)


def _unread(detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError("/amount", "bad_amount", detail)])
