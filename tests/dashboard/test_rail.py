"""The rail and the phone's bar mark the one page that is open."""

from __future__ import annotations

import pytest

from dashboard.shell import _here
from dashboard.states.shell import NAVIGATION


@pytest.mark.parametrize(
    ("route", "marked"),
    [
        ("/payments", "/payments"),
        ("/payments/refunds", "/payments"),
        ("/payments/ledger", "/payments/ledger"),
        ("/incidents/[number]", "/incidents"),
        ("/", "/"),
    ],
)
def test_one_entry_is_marked_the_nearest_to_the_page(route: str, marked: str) -> None:
    assert [entry.href for entry in NAVIGATION if _here(entry, route)] == [marked]
