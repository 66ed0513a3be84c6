"""The region tree as its codes spell it."""

import pytest

from backend.platform.scopes import covers, narrowed, parent


@pytest.mark.parametrize(
    ("scope", "code", "expected"),
    [
        ("*", "TH-10.siam", True),
        ("TH", "TH-10", True),
        ("TH", "TH-10.siam", True),
        ("TH-10", "TH-10", True),
        ("TH-10", "TH-10.siam", True),
        ("TH-10.siam", "TH-10", False),
        ("TH-1", "TH-10", False),
        ("T", "TH", False),
        ("TH-10", "TH", False),
        ("IN-KA", "IN-MH", False),
        ("TH", "*", False),
    ],
)
def test_a_scope_covers_itself_and_what_lies_below_it(
    scope: str, code: str, expected: bool
) -> None:
    assert covers(scope, code) is expected


def test_parents_lead_up_to_everywhere() -> None:
    assert [parent("TH-10.siam"), parent("TH-10"), parent("TH"), parent("*")] == [
        "TH-10",
        "TH",
        "*",
        None,
    ]


@pytest.mark.parametrize(
    ("scopes", "region", "expected"),
    [
        (["*"], "TH-10", ["TH-10"]),
        (["TH"], "TH-10.siam", ["TH-10.siam"]),
        (["TH-10.siam", "IN"], "TH", ["TH-10.siam"]),
        (["TH-10", "IN"], "*", ["TH-10", "IN"]),
        (["IN"], "TH-10", []),
    ],
)
def test_scopes_are_narrowed_to_a_region(
    scopes: list[str], region: str, expected: list[str]
) -> None:
    assert narrowed(scopes, region) == expected
