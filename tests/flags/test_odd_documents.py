"""Flags that no editor makes: refused with a pointer, never half kept, never taken for the same."""

from __future__ import annotations

import json
from typing import Any

import httpx
import orjson
import pytest

from backend.flags import service
from backend.flags.schemas import ContextIn, SegmentIn
from backend.identity.service import Denied
from backend.platform.errors import Invalid
from tests.flags.conftest import ADA, ADMIN_TH, Flags, rule, spec
from tests.flags.test_endpoints import PATH, admin, body  # noqa: F401 - a fixture
from tests.flags.test_exchange import bring, document

HALF = "\ud800"


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"variants": {"on": 10**30, "off": 0}}, "/spec/variants/on"),
        ({"variants": {"on": float("nan"), "off": 0}}, "/spec/variants/on"),
        ({"variants": {"on": float("inf"), "off": 0}}, "/spec/variants/on"),
        ({"variants": {"on": HALF, "off": ""}}, "/spec/variants/on"),
        ({"variants": {"on": {"a": ["\0"]}, "off": {}}}, "/spec/variants/on/a/0"),
        ({"variants": {"on": {HALF: 1}, "off": {}}}, "/spec/variants/on"),
        ({"metadata": {"team": 10**30}}, "/spec/metadata/team"),
        ({"metadata": {"te\0am": 1}}, "/spec/metadata"),
        ({"description": "top\0up"}, "/spec/description"),
        ({"targeting": {"if": [{"==": [{"var": "a"}, HALF]}, "on", "off"]}},
         "/spec/targeting/if/0/==/1"),
        ({"rules": [rule(1, ("a", "any_of", [10**30]))]}, "/spec/rules/0/conditions/0/values/0"),
        ({"rules": [rule(1, ("a", "any_of", ["\0"]))]}, "/spec/rules/0/conditions/0/values/0"),
    ],
)  # fmt: skip
async def test_what_cannot_be_kept_is_pointed_at(
    client: httpx.AsyncClient,
    flags: Flags,
    admin: dict[str, str],  # noqa: F811
    more: dict[str, Any],
    pointer: str,
) -> None:
    wanted = body()
    wanted["spec"] |= more
    headers = {**admin, "content-type": "application/json"}
    for method, path in (("PUT", PATH), ("POST", "/api/v1/flags/preview")):
        answer = await client.request(method, path, content=json.dumps(wanted), headers=headers)
        assert answer.status_code == 422, answer.text
        [fault] = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, "unkept")


async def test_a_name_of_half_a_character_is_told_as_well_as_it_can_be(
    client: httpx.AsyncClient,
    flags: Flags,
    admin: dict[str, str],  # noqa: F811
    problem_of: Any,
) -> None:
    headers = {**admin, "content-type": "application/json"}
    asked = b'{"document":{"flags":{"\\ud800":{}}},"reason":"brought in","\\ud800":1}'
    answer = await client.post("/api/v1/flags/import", content=asked, headers=headers)
    assert problem_of(answer)["status"] == 422
    asked = b'{"document":{"flags":{"\\ud800":{"variants":{"a":1}}}},"reason":"brought in"}'
    answer = await client.post("/api/v1/flags/import", content=asked, headers=headers)
    assert problem_of(answer)["status"] == 422


@pytest.mark.parametrize(
    "more",
    [
        {"targeting": {"$ref": []}},
        {"targeting": {"$ref": [["testers"]]}},
        {"metadata": {"prerequisites": "{"}},
        {"metadata": {"prerequisites": '{"a":"on"}'}},
        {"metadata": {"expires_at": "9999-12-31T23:59:59-12:00"}},
        {"variants": {"on": 10**30, "off": 0}},
    ],
)
async def test_a_document_that_makes_no_sense_is_refused(flags: Flags, more: Any) -> None:
    whole = {**document(1)["flags"]["flag-0"], **more}
    with pytest.raises(Invalid) as refused:
        await bring(flags, {"flags": {"f": whole}})
    assert refused.value.errors[0].pointer.startswith("/flags/f")


@pytest.mark.parametrize(
    "test",
    [
        {"and": [{"in": [{"var": "a"}, ["b"]]}, {"!!": []}]},
        {"sem_ver": [{"var": "v"}, [], "1.0.0"]},
        {"sem_ver": [{"var": "v"}, {"var": "sign"}, "1.0.0"]},
    ],
)
async def test_logic_that_rules_have_no_words_for_stays_logic(flags: Flags, test: Any) -> None:
    targeting = {"if": [test, "on", "off"]}
    await bring(flags, {"flags": {"f": {**document(1)["flags"]["flag-0"], "targeting": targeting}}})
    assert (await flags.get("f")).spec.targeting == targeting


async def test_more_branches_than_rules_may_be_stay_logic(flags: Flags) -> None:
    branches: list[Any] = []
    for number in range(101):
        branches += [{"in": [{"var": "a"}, [number]]}, "on"]
    flag = {**document(1)["flags"]["flag-0"], "targeting": {"if": branches}}
    await bring(flags, {"flags": {"f": flag}})
    found = await flags.get("f")
    assert (found.spec.rules, found.spec.targeting) == ([], {"if": branches})
    assert await flags.served("f", a=100) == "on"
    await flags.save(found.spec.model_copy(update={"on": False}), found.version)


async def test_a_segment_of_what_cannot_be_kept_is_refused(flags: Flags) -> None:
    wrong = {"name": "testers", "logic": {"==": [{"var": "a"}, 10**30]}}
    asked = SegmentIn(segment=wrong, version_seen=0, reason="for the test", confirm="testers")
    with pytest.raises(Invalid) as refused:
        await flags.call(service.save_segment, ADA, asked)
    assert refused.value.errors[0].pointer == "/segment/logic/==/1"


async def test_true_is_not_one(flags: Flags) -> None:
    await flags.save(spec())
    numbers = spec(variants={"on": 1, "off": 0})
    assert (await flags.save(numbers, 1)).status == "published"
    assert orjson.dumps((await flags.get()).definition["variants"]) == b'{"on":1,"off":0}'


async def test_whoever_answers_for_one_region_cannot_turn_true_into_one_everywhere(
    flags: Flags,
) -> None:
    thai = [rule(1, ("region", "any_of", ["TH"]), share=0)]
    await flags.save(spec(rules=thai))
    more = [rule(1, ("region", "any_of", ["TH"]), share=50_000)]
    with pytest.raises(Denied):
        await flags.save(spec(rules=more, variants={"on": 1, "off": 0}), 1, by=ADMIN_TH)
    other = [*thai, rule(2, ("app", "any_of", [True]), share=0)]
    await flags.save(spec(rules=other), 1)
    twisted = [more[0], rule(2, ("app", "any_of", [1]), share=0)]
    with pytest.raises(Denied):
        await flags.save(spec(rules=twisted), 2, by=ADMIN_TH)


@pytest.mark.parametrize("context", [{"targetingKey": HALF}, {"a": 10**30}, {"a": float("nan")}])
async def test_a_context_that_cannot_be_sent_is_not_explained(flags: Flags, context: Any) -> None:
    await flags.save(spec(rules=[rule(1, share=50_000)]))
    with pytest.raises(Invalid):
        await flags.call(service.explain, ADA, "wallet-topup", ContextIn(context=context))


async def test_a_context_too_deep_is_not_explained(flags: Flags) -> None:
    await flags.save(spec(rules=[rule(1, ("a", "any_of", ["x"]))]))
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(Invalid, match="deep at most"):
        await flags.call(service.explain, ADA, "wallet-topup", ContextIn(context={"a": deep}))
