"""Flags over OFREP, asked by the real provider and by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import (
    FlagNotFoundError,
    GeneralError,
    InvalidContextError,
    OpenFeatureError,
    TargetingKeyMissingError,
)
from openfeature.flag_evaluation import Reason
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token, revoke_token
from tests.flags.delivery.conftest import Phones
from tests.flags.delivery.publishing import ON_OFF, key_for, on_in, publish, shared

FLAGS: dict[str, Any] = {
    "cod-cap": {
        "state": "ENABLED",
        "variants": {"high": 20.0, "low": 10.0},
        "defaultVariant": "low",
        "targeting": {"if": [{"==": [{"var": "country"}, "TH"]}, "high"]},
        "metadata": {"team": "payments"},
    },
    "greeting": {
        "state": "ENABLED",
        "variants": {"short": "Hi", "long": "Good day"},
        "defaultVariant": "short",
    },
    "limits": {
        "state": "ENABLED",
        "variants": {"all": {"stops": 12, "kg": 7.5, "days": ["mon"]}},
        "defaultVariant": "all",
    },
    "otp-at-pickup": on_in("TH"),
    "route-suggestions": shared(50),
    "retries": {"state": "ENABLED", "variants": {"few": 3}, "defaultVariant": "few"},
    "up-to-the-app": {**ON_OFF, "defaultVariant": None},
    "not-in-use": {**ON_OFF, "state": "DISABLED"},
}


@pytest.fixture
async def ready(phones: Phones) -> Phones:
    await phones.knowing(await publish(phones.resources, FLAGS))
    return phones


@pytest.fixture
def provider(ready: Phones) -> Iterator[OFREPProvider]:
    made = OFREPProvider(
        ready.url, headers_factory=lambda: {"Authorization": f"Bearer {ready.key}"}
    )
    yield made
    made.session.close()


async def resolved(call: Callable[..., Any], key: str, default: Any, **context: Any) -> Any:
    """What the provider answers; it blocks, so it runs in a thread."""
    user = context.pop("user", "user-1")
    return await asyncio.to_thread(call, key, default, EvaluationContext(user, context))


async def test_the_real_provider_reads_every_type(provider: OFREPProvider) -> None:
    on = await resolved(provider.resolve_boolean_details, "otp-at-pickup", False, country="TH")
    assert (on.value, on.variant, on.reason) == (True, "on", Reason.TARGETING_MATCH)
    off = await resolved(provider.resolve_boolean_details, "otp-at-pickup", True, country="VN")
    assert (off.value, off.variant, off.reason) == (False, "off", Reason.DEFAULT)
    words = await resolved(provider.resolve_string_details, "greeting", "")
    assert (words.value, words.reason) == ("Hi", Reason.STATIC)
    number = await resolved(provider.resolve_integer_details, "retries", 0)
    assert number.value == 3
    cap = await resolved(provider.resolve_float_details, "cod-cap", 0.0, country="VN")
    assert (cap.value, cap.flag_metadata["team"]) == (10.0, "payments")
    limits = await resolved(provider.resolve_object_details, "limits", {})
    assert limits.value == {"stops": 12, "kg": 7.5, "days": ["mon"]}


async def test_the_real_provider_falls_back_to_the_programs_own_default(
    provider: OFREPProvider,
) -> None:
    for key, reason in (("up-to-the-app", Reason.DEFAULT), ("not-in-use", Reason.DISABLED)):
        found = await resolved(provider.resolve_boolean_details, key, True)
        assert (found.value, found.reason) == (True, reason)


async def test_the_real_provider_understands_each_error(
    provider: OFREPProvider, ready: Phones
) -> None:
    with pytest.raises(FlagNotFoundError, match="no-such-flag"):
        await resolved(provider.resolve_boolean_details, "no-such-flag", False)
    with pytest.raises(TargetingKeyMissingError, match="targetingKey"):
        await resolved(provider.resolve_boolean_details, "route-suggestions", False, user=None)
    with pytest.raises(InvalidContextError, match="65536"):
        await resolved(provider.resolve_boolean_details, "greeting", False, note="x" * 1_048_576)
    stranger = OFREPProvider(ready.url, headers_factory=lambda: {"X-API-Key": "wp_unknown"})
    with pytest.raises(OpenFeatureError, match="unauthorized"):
        await resolved(stranger.resolve_boolean_details, "greeting", False)
    stranger.session.close()


async def test_the_real_provider_waits_when_told_to(
    provider: OFREPProvider, ready: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready.delivery.keys, "_rate", 0.5)
    ready.delivery.keys._keys.clear()
    await resolved(provider.resolve_string_details, "greeting", "")
    refused = await ready.ask({}, "greeting")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert refused.json()["errorCode"] == "GENERAL"
    with pytest.raises(GeneralError, match="Rate limited"):
        await resolved(provider.resolve_string_details, "greeting", "")
    assert provider.retry_after is not None


async def test_a_float_goes_out_as_a_float_and_a_variant_always(ready: Phones) -> None:
    one = await ready.ask({"country": "VN"}, "cod-cap")
    assert b'"value":10.0' in one.content
    bulk = (await ready.ask({"targetingKey": "u"})).json()["flags"]
    assert [flag["key"] for flag in bulk] == sorted(FLAGS)
    assert all("variant" in flag and "reason" in flag for flag in bulk)
    by_key = {flag["key"]: flag for flag in bulk}
    assert "value" not in by_key["up-to-the-app"]
    assert by_key["not-in-use"]["variant"] == ""


async def test_the_two_ways_to_send_a_key_and_nothing_else_open(ready: Phones) -> None:
    path = "/ofrep/v1/evaluate/flags/greeting"
    plain = {"authorization": ""}
    assert (await ready.http.post(path, headers={**plain, "x-api-key": ready.key})).is_success
    assert (await ready.http.post(path)).is_success
    assert (await ready.http.post(path, headers=plain)).status_code == 401
    cookie = {**plain, "cookie": "waypost=anything"}
    assert (await ready.http.post(path, headers=cookie)).status_code == 401


async def test_a_key_opens_its_own_environment_alone(ready: Phones) -> None:
    staging = await key_for(ready.resources, "flags:evaluate_staging")
    version = await publish(ready.resources, {"only-staging": ON_OFF}, "staging")
    environment = ready.delivery.environments["staging"]
    while environment.version < version:
        assert await environment.newer_than(environment.version, within_s=30)
    bulk = (await ready.ask({}, authorization=f"Bearer {staging}")).json()
    assert [flag["key"] for flag in bulk["flags"]] == ["only-staging"]
    assert (await ready.ask({}, "greeting", authorization=f"Bearer {staging}")).status_code == 404
    assert (await ready.ask({}, "only-staging")).status_code == 404
    other = await key_for(ready.resources, "orders:read")
    refused = await ready.ask({}, "greeting", authorization=f"Bearer {other}")
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "GENERAL")


async def test_a_revoked_key_soon_opens_nothing(ready: Phones) -> None:
    async with ready.resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "lost", permissions=frozenset({"flags:evaluate"})
        )
    header = {"authorization": f"Bearer {issued.secret}"}
    assert (await ready.ask({}, "greeting", **header)).is_success
    async with ready.resources.database.unit_of_work() as session:
        await revoke_token(session, SYSTEM, issued.id)
    async with asyncio.timeout(30):
        while (await ready.ask({}, "greeting", **header)).status_code != 401:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"context": 1}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"a": "' + b"x" * 1_048_576 + b'"}}', "INVALID_CONTEXT"),
        (b"[" * 5_000 + b"]" * 5_000, "PARSE_ERROR"),
    ],
)
async def test_a_body_that_is_none_is_told_in_the_protocols_words(
    ready: Phones, body: bytes, code: str
) -> None:
    for path in ("/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/greeting"):
        # A server that has refused a body unread may end the connection.
        answer = await ready.http.post(path, content=body, headers={"Connection": "close"})
        assert answer.status_code == 400
        assert answer.json()["errorCode"] == code
        assert answer.json()["errorDetails"]


async def test_the_entity_tag_follows_what_this_context_is_served(ready: Phones) -> None:
    thai, viet = {"targetingKey": "u", "country": "TH"}, {"targetingKey": "u", "country": "VN"}
    first = await ready.ask(thai)
    tag = first.headers["etag"]
    again = await ready.ask(thai, **{"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    weak = await ready.ask(thai, **{"if-none-match": f'"other", W/{tag}'})
    assert weak.status_code == 304
    # Nothing was published: the context alone is another.
    moved = await ready.ask(viet, **{"if-none-match": tag})
    assert moved.status_code == 200
    assert moved.headers["etag"] != tag
    assert moved.json()["flags"] != first.json()["flags"]
    await ready.knowing(await publish(ready.resources, {"otp-at-pickup": on_in("VN")}))
    changed = await ready.ask(thai, **{"if-none-match": tag})
    assert changed.status_code == 200
    back = await ready.ask(thai, **{"if-none-match": changed.headers["etag"]})
    assert back.status_code == 304


async def test_a_published_change_that_serves_this_context_the_same_is_no_news(
    ready: Phones,
) -> None:
    thai = {"targetingKey": "u", "country": "TH"}
    tag = (await ready.ask(thai)).headers["etag"]
    rule = {"if": [{"in": [{"var": "country"}, ["TH", "LK"]]}, "on"]}
    changed = {**ON_OFF, "targeting": rule}
    await ready.knowing(await publish(ready.resources, {"otp-at-pickup": changed}))
    assert (await ready.ask(thai, **{"if-none-match": tag})).status_code == 304


async def test_a_flag_taken_out_is_gone_from_both_answers(ready: Phones) -> None:
    await ready.knowing(await publish(ready.resources, {"greeting": None}))
    assert (await ready.ask({}, "greeting")).status_code == 404
    assert "greeting" not in str((await ready.ask({})).json()["flags"])


async def test_pages_of_other_origins_may_ask(ready: Phones) -> None:
    origin = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    allowed = await ready.http.options("/ofrep/v1/evaluate/flags", headers=origin)
    assert allowed.status_code == 204
    assert "x-api-key" in allowed.headers["access-control-allow-headers"]
    answer = await ready.ask({}, origin="https://shop.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_what_was_served_is_counted_by_variant_and_region(ready: Phones) -> None:
    for country, city in (("TH", "TH-10"), ("TH", "TH-10"), ("VN", None), ("'; DROP", None)):
        context = {"country": country, "targetingKey": "u"} | ({"city": city} if city else {})
        assert (await ready.ask(context, "otp-at-pickup")).is_success
    await ready.ask({"country": "VN"})
    await ready.delivery.hand_over()
    async with ready.resources.database.unit_of_work() as session:
        rows = await session.execute(
            text(
                "SELECT region, variant, sum(asked)::int FROM flags_exposure"
                " WHERE environment = 'production' AND key = 'otp-at-pickup' GROUP BY 1, 2"
            )
        )
        counted = {(region, variant): asked for region, variant, asked in rows}
    assert counted == {("TH-10", "on"): 2, ("VN", "off"): 2, ("*", "off"): 1}


async def test_counts_wait_while_the_database_does_not_take_them(
    ready: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready.ask({"country": "TH"}, "otp-at-pickup")
    with monkeypatch.context() as broken:
        broken.setattr(type(ready.resources.database), "unit_of_work", _away)
        await ready.delivery.hand_over()
    await ready.ask({"country": "TH"}, "otp-at-pickup")
    await ready.delivery.hand_over()
    async with ready.resources.database.unit_of_work() as session:
        asked = await session.scalar(text("SELECT sum(asked)::int FROM flags_exposure"))
    assert asked == 2


def _away(_: object) -> Any:
    raise OSError("the database is away")
