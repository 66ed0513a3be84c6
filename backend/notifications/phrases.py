"""Times, amounts, drivers and reasons as a message spells them in its language: pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from backend.notifications.language import Language
from backend.platform.money import EXPONENTS

# Before or after the number, decimals shown, what groups, what parts: as shops there write them.
_SPELLINGS = {
    "BDT": ("৳{}", 2, ",", "."),
    "IDR": ("Rp{}", 0, ".", ","),
    "INR": ("₹{}", 2, ",", "."),
    "LKR": ("Rs. {}", 2, ",", "."),
    "MYR": ("RM{}", 2, ",", "."),
    "NPR": ("Rs. {}", 2, ",", "."),
    "PHP": ("₱{}", 2, ",", "."),
    "SGD": ("S${}", 2, ",", "."),
    "THB": ("฿{}", 2, ",", "."),
    "USD": ("US${}", 2, ",", "."),
    "VND": ("{} ₫", 0, ".", ","),
}
_IN_LAKHS = frozenset({"BDT", "INR", "NPR"})


def time_words(language: Language, at: datetime, now: datetime, zone: str) -> str:
    """A time of day by the reader's clock, with day and month where it is not today."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    words = language.time.format(
        h12=local.hour % 12 or 12,
        h24=f"{local.hour:02d}",
        mm=f"{local.minute:02d}",
        half=language.halves[local.hour >= 12],
    )
    return words if local.date() == today else f"{local.day}/{local.month} {words}"


def money_words(minor: int, currency: str) -> str:
    """An amount as it is written where its currency is used: `₹1,25,000.00`, `125.000 ₫`."""
    spelling, shown, group, point = _SPELLINGS.get(currency, (f"{currency} {{}}", 2, ",", "."))
    digits = EXPONENTS[currency]
    whole, rest = divmod(abs(minor), 10**digits)
    # What a currency's own people no longer count in is left out, unless it is there.
    part = f"{point}{rest:0{digits}d}" if digits and (shown or rest) else ""
    number = f"{_grouped(whole, group, lakhs=currency in _IN_LAKHS)}{part}"
    return ("-" if minor < 0 else "") + spelling.format(number)


def _grouped(whole: int, group: str, *, lakhs: bool) -> str:
    if not lakhs:
        return f"{whole:,}".replace(",", group)
    high, low = divmod(whole, 1000)
    if not high:
        return str(low)
    pairs = []
    while high:
        high, pair = divmod(high, 100)
        pairs.append(f"{pair:02d}" if high else str(pair))
    return group.join([*reversed(pairs), f"{low:03d}"])


def driver_words(language: Language, name: str | None) -> str:
    """Who brings it: by the first name where that is known."""
    return language.driver.named.format(name=name) if name else language.driver.unnamed


def reason_words(language: Language, reason: str | None) -> str:
    """Why a delivery failed, empty for what is not the customer's to read."""
    return language.reasons.get(reason or "", "")
