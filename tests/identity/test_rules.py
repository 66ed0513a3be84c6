"""Pure rules of identity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.identity.rules import (
    is_region_code,
    mask,
    mask_text,
    parse_app_role,
    parse_app_roles,
    safe_next,
    session_cookie,
)
from backend.identity.schemas import GrantScope


@pytest.mark.parametrize(
    ("value", "grant"),
    [
        ("fleet_manager", GrantScope("fleet_manager", "*")),
        ("fleet_manager.TH-10", GrantScope("fleet_manager", "TH-10")),
        ("fleet_manager.TH-10.siam", GrantScope("fleet_manager", "TH-10.siam")),
        ("admin.IN", GrantScope("admin", "IN")),
        ("viewer.NP-P3", GrantScope("viewer", "NP-P3")),
        ("fleet_manager.", None),
        ("fleet_manager.bangkok", None),
        ("root", None),
        ("device", None),
        ("", None),
    ],
)
def test_app_roles_become_grants(value: str, grant: GrantScope | None) -> None:
    assert parse_app_role(value) == grant


def test_unknown_app_roles_are_named_and_known_ones_counted_once() -> None:
    grants, unknown = parse_app_roles(["viewer", "viewer", "x", 3])
    assert grants == [GrantScope("viewer", "*")]
    assert unknown == ["x", "3"]


@pytest.mark.parametrize("target", ["/", "/map", "/map?region=TH-10&z=9", "/drivers/1#trail"])
def test_own_paths_are_kept(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/%0d\r\nSet-Cookie: x",
        "javascript:alert(1)",
        "map",
        "/map/../auth/logout",
        "/auth/logout",
        "/auth",
        "/api/v1/me",
        " /map",
    ],
)
def test_anything_else_leads_home(target: str | None) -> None:
    assert safe_next(target) == "/"


@given(st.text())
def test_a_target_never_leaves_the_origin(target: str) -> None:
    kept = safe_next(target)
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))


@pytest.mark.parametrize("code", ["*", "TH", "TH-10", "NP-P3", "TH-10.siam", "VN-SG.quan-1"])
def test_region_codes(code: str) -> None:
    assert is_region_code(code)


@pytest.mark.parametrize("code", ["", "th", "THA", "TH-", "TH-10.", "TH-10.Siam", "TH.siam", "**"])
def test_what_is_no_region_code(code: str) -> None:
    assert not is_region_code(code)


def test_masks_reach_deep() -> None:
    value = {"drop": [{"phone": "+66812345678", "note": "gate 4"}], "otp": "123456"}
    masked = {"drop": [{"phone": "+6•••78", "note": "gate 4"}], "otp": "•••"}
    assert mask(value) == masked


@given(st.text(min_size=7))
def test_a_masked_text_shows_at_most_its_ends(text: str) -> None:
    assert "•••" in mask_text(text)


def test_the_host_prefix_needs_https() -> None:
    assert session_cookie(secure=True) == "__Host-waypost"
    assert session_cookie(secure=False) == "waypost"
