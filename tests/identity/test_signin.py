"""Signing in at the demo provider on the production path, and what a forger gets."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from backend.identity import demo_provider
from backend.identity.audit import list_audit
from backend.identity.schemas import AuditFilter
from backend.platform.resources import Resources

from .conftest import ADMIN
from .signing_in import begin, choose, query_of, sign_in

Claims = dict[str, Any]
Forge = Callable[[Claims, RSAKey], str]


async def test_a_sign_in_leads_where_it_was_headed(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client, "niran.phongphit", "/map?region=TH-10")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/map?region=TH-10"
    me = (await client.get("/api/v1/me")).json()
    assert me["name"] == "Niran Phongphit"
    assert me["grants"] == [["fleet_manager", "TH-10"]]
    assert me["permissions"]["drivers:write"] == ["TH-10"]


async def test_the_session_cookie_is_closed_to_scripts_and_other_sites(
    client: httpx.AsyncClient,
) -> None:
    answer = await sign_in(client)
    (cookie,) = [
        header for header in answer.headers.get_list("set-cookie") if header.startswith("waypost=")
    ]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie


@pytest.mark.parametrize(
    ("person", "grants"),
    [
        ("ananya.iyer", [["admin", "*"]]),
        ("meera.kulkarni", [["support_agent", "IN-KA"]]),
        ("arjun.menon", [["support_lead", "IN"]]),
        ("nguyen.thi.lan", [["viewer", "VN-SG"]]),
        ("kavindu.perera", [["auditor", "*"]]),
    ],
)
async def test_each_role_has_its_person(
    client: httpx.AsyncClient, person: str, grants: list[list[str]]
) -> None:
    assert (await sign_in(client, person)).status_code == 303
    assert (await client.get("/api/v1/me")).json()["grants"] == grants


async def test_groups_that_do_not_fit_a_token_are_asked_of_graph(
    client: httpx.AsyncClient,
) -> None:
    assert (await sign_in(client, "siti.aminah")).status_code == 303
    me = (await client.get("/api/v1/me")).json()
    assert me["grants"] == [["fleet_manager", "MY-14"]]


async def test_unreadable_groups_stop_the_sign_in_and_are_not_taken_for_none(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_provider, "BY_KEY", dict(demo_provider.BY_KEY))
    callback = await choose(client, await begin(client), "siti.aminah")
    person = demo_provider.BY_KEY["siti.aminah"]
    original = demo_provider.id_claims

    def claims_of_nobody(*what: Any) -> Claims:
        return {**original(*what), "_claim_names": {"groups": "src1"}}

    monkeypatch.setattr(demo_provider, "id_claims", claims_of_nobody)
    monkeypatch.setattr(demo_provider, "sign", sign_access_token_with_a_foreign_key)
    answer = await client.get(callback)
    assert person.groups
    assert answer.status_code == 503
    assert "waypost" not in client.cookies


def sign_access_token_with_a_foreign_key(claims: Claims, key: RSAKey) -> str:
    if "nonce" in claims:
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, FOREIGN)


async def test_a_person_without_a_role_gets_no_session(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client, "maria.santos")
    assert answer.status_code == 403
    assert "Maria Santos" in answer.text
    assert "waypost" not in client.cookies


async def test_roles_are_as_the_directory_last_said(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(client, "ananya.iyer")
    original = demo_provider.id_claims
    monkeypatch.setattr(
        demo_provider, "id_claims", lambda *what: {**original(*what), "roles": ["viewer.SG-01"]}
    )
    await sign_in(client, "ananya.iyer")
    assert (await client.get("/api/v1/me")).json()["grants"] == [["viewer", "SG-01"]]


FOREIGN = RSAKey.generate_key(2048, auto_kid=True)


def rs256(claims: Claims, key: RSAKey) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def urlsafe(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def unsigned(claims: Claims, _: RSAKey) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return b".".join(urlsafe(part) for part in parts).decode() + "."


def hs256_with_the_public_key(claims: Claims, key: RSAKey) -> str:
    header = {"alg": "HS256", "kid": key.kid, "typ": "JWT"}
    signed = b".".join(urlsafe(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(key.as_pem(private=False), signed, "sha256")
    return b".".join((signed, urlsafe(signature))).decode()


def with_claims(**changed: Any) -> Forge:
    def forge(claims: Claims, key: RSAKey) -> str:
        made = {**claims, **{name: value for name, value in changed.items() if value is not None}}
        for name, value in changed.items():
            if value is None:
                made.pop(name, None)
        return rs256(made, key)

    return forge


def tampered(claims: Claims, key: RSAKey) -> str:
    head, _, signature = rs256(claims, key).split(".")
    changed = json.dumps({**claims, "roles": ["admin"]}).encode()
    return ".".join((head, urlsafe(changed).decode(), signature))


NOW = int(time.time())
OTHER = "11111111-2222-3333-4444-555555555555"
FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "HS256 with the public key": hs256_with_the_public_key,
    "foreign key under the known id": lambda claims, key: jwt.encode(
        {"alg": "RS256", "kid": key.kid}, claims, FOREIGN
    ),
    "foreign key under its own id": lambda claims, _: rs256(claims, FOREIGN),
    "RS512": lambda claims, key: jwt.encode(
        {"alg": "RS512", "kid": key.kid}, claims, key, algorithms=["RS512"]
    ),
    "claims changed after signing": tampered,
    "wrong issuer": with_claims(iss=f"https://login.microsoftonline.com/{OTHER}/v2.0"),
    "issuer with a slash more": lambda claims, key: rs256(
        {**claims, "iss": claims["iss"] + "/"}, key
    ),
    "no issuer": with_claims(iss=None),
    "wrong audience": with_claims(aud=OTHER),
    "two audiences": with_claims(aud=[demo_provider.CLIENT, OTHER]),
    "no audience": with_claims(aud=None),
    "wrong tenant": with_claims(tid=OTHER),
    "two tenants": with_claims(tid=[demo_provider.TENANT, OTHER]),
    "no tenant": with_claims(tid=None),
    "no object id": with_claims(oid=None),
    "wrong nonce": with_claims(nonce="another"),
    "no nonce": with_claims(nonce=None),
    "expired": with_claims(exp=NOW - 3600),
    "expired just past the leeway": with_claims(exp=NOW - 32),
    "no expiry": with_claims(exp=None),
    "not yet valid": with_claims(nbf=NOW + 3600),
    "no nbf": with_claims(nbf=None),
    "issued in the future": with_claims(iat=NOW + 3600),
    "not a token": lambda *_: "not.a.token",
    "empty": lambda *_: "",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused(
    client: httpx.AsyncClient,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    monkeypatch.setattr(demo_provider, "sign", FORGERIES[name])
    answer = await client.get(callback)
    assert answer.status_code == 403
    assert "waypost" not in client.cookies
    assert (await client.get("/api/v1/me")).status_code == 401
    async with resources.database.unit_of_work() as session:
        rows = await list_audit(session, ADMIN, AuditFilter(action="signin.refused"))
    assert len(rows) == 1


async def test_an_untouched_token_passes_the_same_way(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_provider, "sign", with_claims(exp=int(time.time()) - 5))
    assert (await sign_in(client)).status_code == 303, "the leeway is 30 s"


async def test_an_answer_without_an_id_token_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    original = demo_provider.JSONResponse

    def without_id_token(body: dict[str, Any], *rest: Any, **more: Any) -> Any:
        body.pop("id_token", None)
        return original(body, *rest, **more)

    monkeypatch.setattr(demo_provider, "JSONResponse", without_id_token)
    answer = await client.get(callback)
    assert answer.status_code == 403
    assert "missing_id_token" in answer.text


@pytest.mark.parametrize("state", ["", "invented"])
async def test_an_unknown_state_is_refused(client: httpx.AsyncClient, state: str) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    code = query_of(callback)["code"]
    answer = await client.get("/auth/callback", params={"code": code, "state": state})
    assert answer.status_code == 403
    assert "waypost" not in client.cookies


async def test_an_answer_is_good_once(client: httpx.AsyncClient) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    assert (await client.get(callback)).status_code == 303
    assert (await client.get(callback)).status_code == 403


async def test_a_code_is_good_once(client: httpx.AsyncClient) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    assert (await client.get(callback)).status_code == 303
    again = query_of(await begin(client))
    answer = await client.get(
        "/auth/callback", params={"code": query_of(callback)["code"], "state": again["state"]}
    )
    assert answer.status_code == 403
    assert "invalid_grant" in answer.text


async def test_another_browser_cannot_finish_a_sign_in(client: httpx.AsyncClient) -> None:
    callback = await choose(client, await begin(client), "ananya.iyer")
    client.cookies.clear()
    answer = await client.get(callback)
    assert answer.status_code == 403
    assert "foreign_browser" in answer.text


async def test_a_stolen_code_is_worthless_without_its_verifier(client: httpx.AsyncClient) -> None:
    stolen = query_of(await choose(client, await begin(client), "ananya.iyer"))["code"]
    mine = query_of(await begin(client))["state"]
    answer = await client.get("/auth/callback", params={"code": stolen, "state": mine})
    assert answer.status_code == 403
    assert "invalid_grant" in answer.text


async def test_the_provider_insists_on_pkce(client: httpx.AsyncClient) -> None:
    authorize = await begin(client)
    query = query_of(authorize)
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    base = authorize.split("?")[0]
    for changed in ({"code_challenge_method": "plain"}, {"code_challenge": ""}):
        answer = await client.get(base, params={**query, **changed})
        assert answer.status_code == 400


async def test_the_provider_refuses_a_foreign_redirect(client: httpx.AsyncClient) -> None:
    authorize = await begin(client)
    query = {**query_of(authorize), "redirect_uri": "https://evil.example/"}
    answer = await client.get(authorize.split("?")[0], params=query)
    assert answer.status_code == 400
    assert "evil" not in answer.headers.get("location", "")


async def test_an_error_of_the_provider_is_told_without_its_words(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(
        "/auth/callback", params={"error": "<script>x</script>", "state": "s"}
    )
    assert answer.status_code == 403
    assert "<script>" not in answer.text


async def test_a_new_sign_in_gives_a_new_session_and_ends_the_old(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    first = client.cookies["waypost"]
    client.cookies.delete("waypost")
    client.cookies.set("waypost", first, domain="localhost.local", path="/")
    await sign_in(client)
    second = client.cookies["waypost"]
    assert first != second
    headers = {"cookie": f"waypost={first}"}
    client.cookies.clear()
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_the_target_of_a_sign_in_stays_here(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client, "ananya.iyer", "//evil.example")
    assert answer.headers["location"] == "/"


@pytest.mark.usefixtures("no_refill")
async def test_too_many_sign_ins_from_one_address_have_to_wait(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/auth/start") for _ in range(70)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_a_signed_in_person_is_not_asked_again(client: httpx.AsyncClient) -> None:
    assert (await client.get("/auth/login")).status_code == 200
    await sign_in(client)
    answer = await client.get("/auth/login", params={"next": "/map"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/map")


async def test_loopback_names_are_brought_to_the_public_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("http://127.0.0.1:8000/auth/login?next=/map")
    assert answer.status_code == 307
    assert answer.headers["location"] == "http://localhost:8000/auth/login?next=/map"


async def test_pages_carry_a_policy_and_run_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/auth/login", await begin(client)):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
