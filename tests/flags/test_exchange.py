"""Flags in and out as flagd's documents: the same back again, all of it or nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore

from backend.flags import FlagSet, service
from backend.flags.compiling import definition_of
from backend.flags.reading import spec_of
from backend.flags.schemas import ImportIn, ImportResult, KillIn, SegmentIn
from backend.platform.errors import Conflict, Invalid
from tests.flags.conftest import ADA, Flags, rule, spec

ATTRIBUTES = [
    ("platform", "any_of", [["android"], ["ios", 7, True]]),
    ("region", "any_of", [["TH"], ["TH", "VN-SG"], ["TH-10", "TH-10.siam"]]),
    ("region", "none_of", [["TH"], ["IN", "BD-13"]]),
    ("segment", "any_of", [["testers"], ["testers", "vip"]]),
    ("segment", "none_of", [["vip"]]),
    ("app", "none_of", [["console"]]),
    ("targetingKey", "starts_with", [["demo-"], ["a", "b"]]),
    ("email", "ends_with", [["@waypost.example"]]),
    ("orders", "at_least", [[3]]),
    ("orders", "below", [[2.5]]),
    ("app_version", "version_at_least", [["5.2.0"]]),
    ("app_version", "version_is", [["5.2.0"], ["5.2.0", "6"]]),
    ("app_version", "version_is_not", [["5.2.0"], ["5.2.0", "6"]]),
    ("app_version", "version_same_minor", [["5.2"]]),
]
GONE = {"$ref": "gone"}
NOWHERE = {"in": [{"var": "city"}, ["XX-1"]]}
QUARTER = {"fractional": [["on", 25_000], ["off", 75_000]]}
conditions = st.sampled_from(ATTRIBUTES).flatmap(
    lambda one: st.builds(
        lambda values: {"attribute": one[0], "operator": one[1], "values": values},
        st.sampled_from(one[2]),
    )
)
rules = st.builds(
    lambda found, share, by: {
        "id": "x", "conditions": found, "by": by, "serve": [{"variant": "on", "share": share}],
    },
    st.lists(conditions, min_size=1, max_size=3),
    st.sampled_from([0, 1, 33_333, 100_000]),
    st.sampled_from(["targetingKey", "hub"]),
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(rules, max_size=4), st.sampled_from(["on", "off", None]), st.booleans())
def test_a_definition_reads_back_as_the_rules_it_was_made_of(
    found: list[Any], default: str | None, is_on: bool
) -> None:
    numbered = [{**one, "id": f"r{number + 1}"} for number, one in enumerate(found)]
    wanted = spec(
        on=is_on, default_variant=default, rules=numbered, sensitive=True, kind="experiment",
        expires_at="2027-01-01T00:00:00Z", description="Top up", metadata={"team": 7},
        prerequisites=[{"key": "parent", "variant": "on"}],
    )  # fmt: skip
    definition = definition_of(wanted)
    back = spec_of(wanted.key, copy.deepcopy(definition))
    assert definition_of(back) == definition
    assert back.targeting is None
    shared = [one for one in back.rules if one.serve[0].share < 100_000]
    assert shared == [
        one
        for one in wanted.rules
        if one.serve[0].share < 100_000 and default != one.serve[0].variant
    ]
    core = FlagdCore()
    core.set_flags({"flags": {wanted.key: copy.deepcopy(definition)}, "$evaluators": {}})


async def bring(
    flags: Flags, document: Any, environment: str = "production", confirm: str = "production"
) -> ImportResult:
    wanted = ImportIn(
        environment=environment, document=document, reason="brought in", confirm=confirm
    )
    result: ImportResult = await flags.call(service.import_flags, ADA, wanted)
    return result


def document(count: int) -> dict[str, Any]:
    return {
        "flags": {
            f"flag-{number}": {
                "state": "ENABLED",
                "variants": {"on": True, "off": False},
                "defaultVariant": "off",
                "targeting": {"if": [{"in": [{"var": "country"}, ["TH"]]}, QUARTER]},
            }
            for number in range(count)
        }
    }  # fmt: skip


async def test_what_is_given_out_comes_back_unchanged(flags: Flags) -> None:
    segment = {
        "name": "testers",
        "conditions": [{"attribute": "app", "operator": "any_of", "values": ["console"]}],
    }
    saved = SegmentIn(segment=segment, version_seen=0, reason="for the test", confirm="testers")
    await flags.call(service.save_segment, ADA, saved)
    await flags.save(spec("parent", default_variant="on"))
    await flags.save(
        spec(
            kind="operational", expires_at="2027-05-01T00:00:00Z", metadata={"jira": "X-1"},
            prerequisites=[{"key": "parent", "variant": "on"}],
            rules=[
                rule(1, ("segment", "any_of", ["testers"])),
                rule(2, ("region", "any_of", ["VN-SG"]), share=1),
            ],
        )
    )  # fmt: skip
    out = await flags.call(service.export_flags, ADA, "production")
    assert set(out) == {"$schema", "flags", "$evaluators"}
    again = await bring(flags, out)
    assert (again.status, again.unchanged) == ("unchanged", 2)
    elsewhere = await bring(flags, out, "staging", confirm="")
    assert (elsewhere.status, elsewhere.created) == ("published", ["parent", "wallet-topup"])
    assert await flags.call(service.export_flags, ADA, "staging") == out
    copied = (await flags.get(environment="staging")).spec
    original = (await flags.get()).spec
    assert copied == original


async def test_logic_that_rules_cannot_say_is_kept_as_it_is(flags: Flags) -> None:
    targeting = {"if": [{">": [{"%": [{"var": "n"}, 2]}, 0]}, "on", {"var": "variant"}]}
    found = {**document(1)["flags"]["flag-0"], "targeting": targeting}
    await bring(flags, {"flags": {"odd": found}})
    assert (await flags.get("odd")).spec.targeting == targeting
    assert await flags.served("odd", n=3) == "on"
    assert await flags.served("odd", n=2, variant="off") == "off"


async def test_five_thousand_flags_come_in_together(flags: Flags) -> None:
    many = document(5_000)
    result = await bring(flags, many)
    assert len(result.created) == 5_000
    found = await flags.call(service.published, "production")
    assert (found.version, len(found.flags)) == (1, 5_000)
    assert len(FlagSet({"flags": found.flags})) == 5_000
    killed = await flags.call(service.kill_flag, ADA, "flag-9", KillIn())
    assert (killed.version, await flags.served("flag-9", country="TH")) == (2, "off")
    many["flags"]["flag-9"]["state"] = "DISABLED"
    many["flags"]["flag-4999"]["defaultVariant"] = "on"
    assert (await bring(flags, many)).changed == ["flag-4999"]
    since = await flags.call(service.published, "production", 2)
    assert list(since.flags) == ["flag-4999"]


async def test_one_fault_among_five_thousand_publishes_nothing(flags: Flags) -> None:
    many = document(5_000)
    many["flags"]["flag-2500"]["targeting"] = {"if": [{"regex": [{"var": "a"}, "b"]}, "on"]}
    with pytest.raises(Invalid) as refused:
        await bring(flags, many)
    [fault] = refused.value.errors
    assert (fault.pointer, fault.code) == (
        "/flags/flag-2500/targeting/if/0/regex",
        "unknown_operator",
    )
    assert (await flags.call(service.published, "production")).flags == {}


async def test_too_many_flags_are_refused_at_once(flags: Flags) -> None:
    with pytest.raises(Invalid, match="10001 flags are more"):
        await bring(flags, {"flags": {str(number): {} for number in range(10_001)}})


@pytest.mark.parametrize(
    ("flag", "pointer", "code"),
    [
        ({"state": "ON"}, "", "unreadable"),
        ({"variants": {}}, "", "unreadable"),
        ({"variants": {"on": True, "off": "no"}}, "/variants/off", "mixed_types"),
        ({"variants": {"on": 1, "off": None}}, "/variants/off", "no_value"),
        ({"defaultVariant": "maybe"}, "/defaultVariant", "unknown_variant"),
        ({"targeting": {"log": ["x"]}}, "/targeting/log", "unknown_operator"),
        ({"targeting": {"if": [GONE, "on"]}}, "/targeting/if/0/$ref", "unknown_segment"),
        ({"targeting": {"if": [NOWHERE, "on"]}}, "/targeting", "unknown_region"),
        ({"targeting": {"if": [True, "neither"]}}, "/targeting", "unknown_variant"),
        ({"targeting": {"fractional": [["on", 2**31], ["off", 1]]}}, "/targeting", "over_limit"),
        ({"targeting": {"fractional": [["on", 0.5]]}}, "/targeting/fractional/0/1", "unfit"),
        ({"targeting": {"sem_ver": ["1", "=>", "2"]}}, "/targeting/sem_ver", "unfit"),
        ({"targeting": {"and": [1], "or": [2]}}, "/targeting", "not_logic"),
        ({"metadata": {"prerequisites": '{"f": "on"}'}}, "/metadata/prerequisites", "cycle"),
        ({"metadata": {"prerequisites": '{"x": "on"}'}}, "/metadata/prerequisites", "unknown_flag"),
        ({"metadata": {"kind": "whim"}}, "/kind", "literal_error"),
    ],
)  # fmt: skip
async def test_each_fault_is_pointed_at(
    flags: Flags, flag: dict[str, Any], pointer: str, code: str
) -> None:
    whole = {**document(1)["flags"]["flag-0"], **flag}
    with pytest.raises(Invalid) as refused:
        await bring(flags, {"flags": {"f": whole}})
    found = [
        fault for fault in refused.value.errors if fault.pointer.startswith(f"/flags/f{pointer}")
    ]
    assert found, refused.value.errors
    assert code in ("", found[0].code)


async def test_logic_too_deep_is_refused(flags: Flags) -> None:
    deep: Any = True
    for _ in range(200):
        deep = {"!": [deep]}
    whole = {**document(1)["flags"]["flag-0"], "targeting": {"if": [deep, "on"]}}
    with pytest.raises(Invalid, match="deep at most"):
        await bring(flags, {"flags": {"f": whole}})


async def test_prerequisites_in_a_circle_are_spelt_out(flags: Flags) -> None:
    await flags.save(spec("a"))
    await flags.save(spec("b", prerequisites=[{"key": "a", "variant": "on"}]))
    await flags.save(spec("c", prerequisites=[{"key": "b", "variant": "on"}]))
    with pytest.raises(Invalid, match="a → c → b → a") as refused:
        await flags.save(spec("a", prerequisites=[{"key": "c", "variant": "on"}]), 1)
    assert refused.value.errors[0].pointer == "/spec/prerequisites"


async def test_what_others_need_does_not_go_away(flags: Flags) -> None:
    await flags.save(spec("a"))
    await flags.save(spec("b", prerequisites=[{"key": "a", "variant": "on"}]))
    with pytest.raises(Invalid, match="b needs a to be on"):
        await flags.save(spec("a", variants={"yes": True, "off": False}), 1)


async def test_weights_over_the_whole_are_refused(flags: Flags) -> None:
    over = rule(1)
    over["serve"] = [{"variant": "on", "share": 60_000}, {"variant": "off", "share": 50_000}]
    with pytest.raises(Invalid, match=r"The shares come to 110 %"):
        await flags.save(spec(rules=[over]))


async def test_an_import_does_not_cross_a_rollout(flags: Flags) -> None:
    from tests.flags.test_rollouts import start

    await flags.save(spec(rules=[rule(1, share=0)]))
    await start(flags)
    out = await flags.call(service.export_flags, ADA, "production")
    out["flags"]["wallet-topup"]["defaultVariant"] = "on"
    with pytest.raises(Conflict, match="stop it first"):
        await bring(flags, out)
