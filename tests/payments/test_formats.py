"""Amounts as people of each country write them, checked by hand."""

from __future__ import annotations

import pytest

from backend.payments import formats
from backend.platform.money import EXPONENTS, Money, plain

BY_HAND = [
    (123456750, "INR", "12,34,567.50"),
    (1234567890123, "INR", "12,34,56,78,901.23"),
    (99999, "INR", "999.99"),
    (100000, "INR", "1,000.00"),
    (10000000, "INR", "1,00,000.00"),
    (123456750, "BDT", "12,34,567.50"),
    (123456750, "NPR", "12,34,567.50"),
    (123456750, "LKR", "1,234,567.50"),
    (123456750, "THB", "1,234,567.50"),
    (123456750, "MYR", "1,234,567.50"),
    (123456750, "PHP", "1,234,567.50"),
    (123456750, "SGD", "1,234,567.50"),
    (123456750, "USD", "1,234,567.50"),
    (123456750, "IDR", "1.234.567,50"),
    (1234567, "VND", "1.234.567"),
    (123456750, "LAK", "1.234.568"),
    (123456749, "MMK", "1,234,567"),
    (5, "THB", "0.05"),
    (0, "THB", "0.00"),
    (0, "VND", "0"),
    (-123456750, "INR", "-12,34,567.50"),
    (-5, "IDR", "-0,05"),
    (-4, "MMK", "0"),
]


@pytest.mark.parametrize(("minor", "currency", "written"), BY_HAND)
def test_an_amount_is_written_as_its_country_does(minor: int, currency: str, written: str) -> None:
    assert formats.amount(minor, currency) == written


def test_every_currency_is_checked_by_hand() -> None:
    assert {currency for _, currency, _ in BY_HAND} == set(EXPONENTS)


def test_the_code_stands_behind_the_amount() -> None:
    assert formats.money(Money(minor=123456750, currency="INR")) == "12,34,567.50 INR"
    assert formats.with_code(7, "VND") == "7 VND"


def test_what_is_shown_rounded_is_exact_where_computers_read_it() -> None:
    assert plain(123456750, "LAK") == "1234567.50 LAK"
    assert plain(-1234567, "VND") == "-1234567 VND"
