"""What the policy files say, and that they say it in the shape the decisions rely on."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.identity.policy import (
    FOLDER,
    Denied,
    Policy,
    PolicyFiles,
    authorize,
    current_policy,
    may,
    scopes,
)
from backend.identity.schemas import ROLES, SYSTEM, GrantScope, Principal

MODEL = (FOLDER / "model.conf").read_text()
BASE = "p, role:viewer, *, drivers, read, allow\np, role:viewer, *, drivers, write, allow\n"


def person(*grants: tuple[str, str]) -> Principal:
    return Principal("user", "user:x", "X", tuple(GrantScope(*grant) for grant in grants))


def rows() -> list[list[str]]:
    lines = (FOLDER / "policy.csv").read_text().splitlines()
    read = csv.reader(line for line in lines if line.strip() and not line.startswith("#"))
    return [[cell.strip() for cell in row] for row in read]


def test_every_policy_line_has_a_known_shape() -> None:
    for row in rows():
        if row[0] == "p":
            _, subject, region, obj, act, effect = row
            assert effect in {"allow", "deny"}, f"casbin reads any other effect as a yes: {row}"
            assert obj.isidentifier()
            assert act.isidentifier()
            # Scopes are exact only while nothing is taken away below a region.
            assert effect == "allow" or region == "*", row
        else:
            kind, subject, included, region = row
            assert (kind, region) == ("g", "*"), row
            assert included.startswith("role:")
        assert subject.startswith("role:"), row


def test_no_policy_line_is_there_twice() -> None:
    assert len(rows()) == len({tuple(row) for row in rows()})


def test_the_model_allows_only_on_a_yes_and_lets_a_no_win() -> None:
    assert "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))" in MODEL


def test_every_role_has_permissions_and_no_other_role_is_written() -> None:
    assert set(current_policy().roles) == {*ROLES, "device"}
    for role in current_policy().roles:
        assert current_policy().permissions_of(role)


def test_admin_holds_whatever_an_admin_can_hand_out() -> None:
    assert current_policy().permissions_of("admin") == current_policy().permissions


def test_auditor_reads_trail_and_ledger_and_nothing_of_operations() -> None:
    held = current_policy().permissions_of("auditor")
    assert held == {"console:use", "audit:read", "ledger:read"}


@pytest.mark.parametrize(
    ("region", "allowed"),
    [("TH-10", True), ("TH-10.siam", True), ("TH", False), ("TH-1", False), ("IN-KA", False)],
)
def test_a_role_reaches_its_region_and_below(region: str, allowed: bool) -> None:
    assert may(person(("fleet_manager", "TH-10")), "drivers:write", region) is allowed


def test_a_role_everywhere_reaches_every_region() -> None:
    caller = person(("viewer", "*"))
    assert may(caller, "drivers:read", "TH-10.siam")
    assert may(caller, "drivers:read", "*")


def test_a_regional_role_does_not_reach_everywhere() -> None:
    assert not may(person(("admin", "TH")), "audit:read", "*")


def test_grants_of_several_regions_do_not_mix() -> None:
    caller = person(("fleet_manager", "TH-10"), ("viewer", "IN"))
    assert scopes(caller, "drivers:read") == ("IN", "TH-10")
    assert scopes(caller, "drivers:write") == ("TH-10",)
    assert not may(caller, "drivers:write", "IN-KA")


def test_scopes_leave_out_what_lies_below_another() -> None:
    caller = person(("viewer", "TH"), ("fleet_manager", "TH-10"), ("viewer", "SG"))
    assert scopes(caller, "drivers:read") == ("SG", "TH")


def test_a_deny_wins_over_the_allow_of_another_role() -> None:
    policy = Policy(MODEL, BASE + "p, role:trainee, *, drivers, write, deny\n")
    both = (GrantScope("viewer", "*"), GrantScope("trainee", "TH"))
    assert not policy.allows(both, "drivers:write", "TH-10")
    assert policy.allows(both, "drivers:write", "IN-KA")
    assert policy.allows(both, "drivers:read", "TH-10")


def test_a_permission_line_may_hold_for_one_region_only() -> None:
    policy = Policy(MODEL, "p, role:viewer, TH, drivers, read, allow\n")
    assert policy.scopes((GrantScope("viewer", "*"),), "drivers:read") == ("TH",)
    assert policy.scopes((GrantScope("viewer", "TH-10"),), "drivers:read") == ("TH-10",)
    assert policy.scopes((GrantScope("viewer", "IN"),), "drivers:read") == ()


def test_a_misspelt_effect_is_refused() -> None:
    with pytest.raises(ValueError, match="neither allow nor deny"):
        Policy(MODEL, BASE + "p, role:viewer, *, drivers, write, denied\n")


def test_a_changed_file_counts_at_once_and_a_broken_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.conf").write_text(MODEL)
    (tmp_path / "policy.csv").write_text(BASE)
    monkeypatch.setattr("backend.identity.policy._LOOK_EVERY_S", 0)
    files = PolicyFiles(tmp_path)
    viewer = (GrantScope("viewer", "*"),)
    assert files.current().allows(viewer, "drivers:write", "TH")
    lines = BASE.replace("write, allow", "write, deny")
    (tmp_path / "policy.csv").write_text(lines)
    assert not files.current().allows(viewer, "drivers:write", "TH")
    (tmp_path / "policy.csv").write_text(lines.replace("deny", "dany"))
    assert not files.current().allows(viewer, "drivers:write", "TH")


def test_a_decision_that_fails_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(MODEL, BASE)

    def break_down(*_: object) -> bool:
        raise RuntimeError("invalid policy size")

    monkeypatch.setattr(policy._enforcer, "enforce", break_down)
    assert policy.allows((GrantScope("viewer", "*"),), "drivers:read", "TH") is False


def test_an_unknown_role_or_permission_gives_nothing() -> None:
    assert not may(person(("root", "*")), "drivers:read")
    assert not may(person(("admin", "*")), "drivers:explode")


def test_a_service_holds_its_named_permissions_in_its_regions_and_nothing_else() -> None:
    service = Principal(
        "service",
        "service:market",
        "market",
        permissions=frozenset({"drivers:read"}),
        regions=("TH", "SG"),
    )
    assert may(service, "drivers:read", "TH-10")
    assert not may(service, "drivers:read", "IN-KA")
    assert not may(service, "drivers:write", "TH-10")
    assert scopes(service, "drivers:read") == ("SG", "TH")


def test_the_system_itself_may_do_everything() -> None:
    authorize(SYSTEM, "drivers:write", "TH-10")
    assert scopes(SYSTEM, "audit:read") == ("*",)


def test_a_refusal_names_the_permission_and_the_region() -> None:
    with pytest.raises(Denied, match=r"drivers:write in TH-10"):
        authorize(person(("viewer", "*")), "drivers:write", "TH-10")
