"""Amounts of money: integer minor units with an ISO 4217 code, never a float."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

# ISO 4217 exponents of the currencies the company trades in. What CLDR shows may differ (MMK, LAK).
EXPONENTS = {
    "BDT": 2, "IDR": 2, "INR": 2, "LAK": 2, "LKR": 2, "MMK": 2, "MYR": 2,
    "NPR": 2, "PHP": 2, "SGD": 2, "THB": 2, "USD": 2, "VND": 0,
}  # fmt: skip
# One order of a thousand trillion: far above any, far below what a bigint holds.
MOST_MINOR = 10**15


def _known(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError(f"{code} is not a currency that Waypost trades in")
    return code


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_known)]


class Money(BaseModel):
    """An amount in the minor unit of its currency: 125.00 baht is 12500 THB."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minor: Annotated[StrictInt, Field(ge=0, le=MOST_MINOR)]
    currency: Currency


def plain(minor: int, currency: str) -> str:
    """The amount in major units as ISO 4217 divides them: `125.00 THB`, `-3 VND`."""
    digits = EXPONENTS[currency]
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**digits)
    part = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{whole}{part} {currency}"
