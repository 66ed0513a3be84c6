"""An identity provider in Entra's shape for demos: never for anything that matters.

It speaks what Entra ID speaks (discovery by tenant, PKCE, RS256 keys, front-channel logout, Graph
for groups that do not fit), so that a demo signs in through the same code as production. Whoever
reaches it may sign in as anyone; it refuses to exist outside of `WAYPOST_ENV=demo`.
"""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx2
import orjson
from fastapi import APIRouter, FastAPI, Form, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from redis.asyncio import Redis

from backend.identity import demo_pages
from backend.identity.demo_people import BY_KEY, KUALA_LUMPUR_FLEET, DemoPerson
from backend.identity.oidc import OidcConfig
from backend.platform.http import Res
from backend.settings import Settings

TENANT = "7d1f5a2e-43c8-4a57-9b0e-2f6d8c9e1b30"
CLIENT = "c0a8e6f4-1b7d-4c3e-8f52-9d4b6a7e0c11"
PREFIX = "/auth/demo-idp"
BROWSER_COOKIE = "waypost-demo-idp"

_CODE_LIFE_S = 60
_TOKEN_LIFE_S = 3600
_KEY = "identity:demo:key"
_SCOPES = ["openid", "profile", "email", "offline_access"]


class DemoProviderOutsideDemo(RuntimeError):
    """The demo provider was asked for where it must not exist."""


def _refuse_outside_demo(settings: Settings) -> None:
    if not settings.demo:
        raise DemoProviderOutsideDemo(
            f"the demo identity provider exists only with WAYPOST_ENV=demo, not {settings.env}"
        )


def config(settings: Settings, redirect_uri: str) -> OidcConfig:
    """The console's registration at the demo provider; raises outside of a demo."""
    _refuse_outside_demo(settings)
    inner = FastAPI(openapi_url=None)
    inner.include_router(create_router(settings))
    authority = settings.public_url.rstrip("/") + PREFIX
    return OidcConfig(
        authority=authority,
        tenant_id=TENANT,
        client_id=CLIENT,
        redirect_uri=redirect_uri,
        client_secret=_client_secret(settings),
        graph_url=f"{authority}/graph",
        group_grants={KUALA_LUMPUR_FLEET: "fleet_manager.MY-14"},
        transport=httpx2.ASGITransport(inner),
    )


def _client_secret(settings: Settings) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, b"demo client secret", hashlib.sha256).hex()


def create_router(settings: Settings) -> APIRouter:
    """The provider's routes; raises outside of a demo."""
    _refuse_outside_demo(settings)
    router = APIRouter(prefix=PREFIX, include_in_schema=False)
    router.add_api_route("/{tenant}/v2.0/.well-known/openid-configuration", discovery)
    router.add_api_route("/{tenant}/discovery/v2.0/keys", keys)
    router.add_api_route("/{tenant}/oauth2/v2.0/authorize", choose, methods=["GET"])
    router.add_api_route("/{tenant}/oauth2/v2.0/authorize", chosen, methods=["POST"])
    router.add_api_route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"])
    router.add_api_route("/{tenant}/oauth2/v2.0/logout", logout)
    router.add_api_route("/graph/v1.0/me/getMemberObjects", member_objects, methods=["POST"])
    return router


def _issuer(settings: Settings, tenant: str) -> str:
    # Asked without a tenant, Entra answers with a placeholder for it.
    named = tenant if tenant == TENANT else "{tenantid}"
    return f"{settings.public_url.rstrip('/')}{PREFIX}/{named}/v2.0"


async def discovery(resources: Res, tenant: str) -> JSONResponse:
    """The metadata document, with an algorithm that must not be believed."""
    settings = resources.settings
    base = f"{settings.public_url.rstrip('/')}{PREFIX}/{tenant}"
    return JSONResponse(
        {
            "issuer": _issuer(settings, tenant),
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": _SCOPES,
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "code_challenge_methods_supported": ["S256"],
            "frontchannel_logout_supported": True,
            "http_logout_supported": True,
        }
    )


async def signing_key(redis: Redis) -> RSAKey:
    """The provider's key, the same in every process of the demo."""
    held = await redis.get(_KEY)
    if held is None:
        fresh = RSAKey.generate_key(2048, auto_kid=True)
        await redis.set(_KEY, orjson.dumps(fresh.as_dict(private=True)), nx=True)
        held = await redis.get(_KEY)
    return RSAKey.import_key(orjson.loads(held))


async def keys(resources: Res, tenant: str) -> JSONResponse:
    """The public keys as a JWK set (RFC 7517)."""
    key = await signing_key(resources.redis)
    public = {
        **key.as_dict(private=False),
        "use": "sig",
        "issuer": _issuer(resources.settings, tenant),
    }
    return JSONResponse({"keys": [public]})


def _fault(tenant: str, query: dict[str, str], settings: Settings) -> str | None:
    own_redirect = settings.public_url.rstrip("/") + "/auth/callback"
    checks = [
        (tenant != TENANT, "AADSTS90002: there is no such tenant"),
        (query.get("client_id") != CLIENT, "AADSTS700016: there is no such application"),
        (
            query.get("redirect_uri") != own_redirect,
            "AADSTS50011: the redirect URI is not registered",
        ),
        (query.get("response_type") != "code", "AADSTS700054: only the code flow is on"),
        ("openid" not in query.get("scope", "").split(), "AADSTS70011: openid is not asked for"),
        (not query.get("nonce"), "AADSTS700030: there is no nonce"),
        (query.get("code_challenge_method") != "S256", "AADSTS501491: PKCE with S256 is required"),
        (
            len(query.get("code_challenge", "")) != 43,
            "AADSTS501491: the code challenge is not S256",
        ),
    ]
    return next((message for wrong, message in checks if wrong), None)


async def choose(request: Request, resources: Res, tenant: str) -> Response:
    """The page on which to choose whom to sign in as."""
    query = dict(request.query_params)
    fault = _fault(tenant, query, resources.settings)
    if fault is not None:
        return demo_pages.fault(fault)
    return demo_pages.picker(query)


async def chosen(
    request: Request, resources: Res, tenant: str, person: Annotated[str, Form()]
) -> Response:
    """Back to the console with a code for the chosen person."""
    query = dict(request.query_params)
    fault = _fault(tenant, query, resources.settings)
    if fault is not None or person not in BY_KEY:
        return demo_pages.fault(fault or "AADSTS50034: there is no such person")
    sid = secrets.token_hex(16)
    code = secrets.token_urlsafe(32)
    held = {
        "person": person,
        "sid": sid,
        "nonce": query["nonce"],
        "challenge": query["code_challenge"],
        "redirect_uri": query["redirect_uri"],
    }
    await resources.redis.set(f"identity:demo:code:{code}", orjson.dumps(held), ex=_CODE_LIFE_S)
    back = urlencode({"code": code, "state": query.get("state", ""), "session_state": sid})
    answer = RedirectResponse(f"{query['redirect_uri']}?{back}", 303)
    answer.set_cookie(
        BROWSER_COOKIE, sid, path=PREFIX, httponly=True, secure=resources.settings.secure_cookies
    )
    return answer


async def token(
    resources: Res,
    tenant: str,
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
    grant_type: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    redirect_uri: Annotated[str, Form()] = "",
    code_verifier: Annotated[str, Form()] = "",
) -> JSONResponse:
    """Tokens for a code; each code is good once, and only with its verifier."""
    known = client_id == CLIENT and hmac.compare_digest(
        client_secret, _client_secret(resources.settings)
    )
    if tenant != TENANT or not known:
        return _token_error("invalid_client", 401)
    if grant_type != "authorization_code":
        return _token_error("unsupported_grant_type")
    raw = await resources.redis.getdel(f"identity:demo:code:{code}")
    if raw is None:
        return _token_error("invalid_grant")
    held = orjson.loads(raw)
    digest = hashlib.sha256(code_verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if held["redirect_uri"] != redirect_uri or not hmac.compare_digest(
        challenge, held["challenge"]
    ):
        return _token_error("invalid_grant")
    person = BY_KEY[held["person"]]
    key = await signing_key(resources.redis)
    claims = id_claims(resources.settings, person, held["nonce"], held["sid"])
    access_claims = {**claims, "aud": f"{PREFIX}/graph"}
    access_claims.pop("nonce")
    return JSONResponse(
        {
            "token_type": "Bearer",
            "scope": " ".join(_SCOPES[:3]),
            "expires_in": _TOKEN_LIFE_S,
            "access_token": sign(access_claims, key),
            "id_token": sign(claims, key),
        },
        headers={"Cache-Control": "no-store"},
    )


def _token_error(error: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": f"demo: {error}"}, status)


def id_claims(settings: Settings, person: DemoPerson, nonce: str, sid: str) -> dict[str, Any]:
    """The claims of an Entra v2.0 id token."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "aud": CLIENT,
        "iss": _issuer(settings, TENANT),
        "iat": now,
        "nbf": now,
        "exp": now + _TOKEN_LIFE_S,
        "email": person.email,
        "login_hint": person.key,
        "name": person.name,
        "nonce": nonce,
        "oid": person.oid,
        "preferred_username": person.email,
        "sid": sid,
        "sub": hashlib.sha256(f"{CLIENT}{person.oid}".encode()).hexdigest()[:43],
        "tid": TENANT,
        "ver": "2.0",
    }
    if person.roles:
        claims["roles"] = list(person.roles)
    if person.groups:
        claims["_claim_names"] = {"groups": "src1"}
        source = f"{settings.public_url}{PREFIX}/graph/v1.0/me/getMemberObjects"
        claims["_claim_sources"] = {"src1": {"endpoint": source}}
    return claims


def sign(claims: dict[str, Any], key: RSAKey) -> str:
    """The claims as a JWT under RS256."""
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


async def member_objects(
    resources: Res, authorization: Annotated[str, Header()] = ""
) -> JSONResponse:
    """The groups of the access token's person, as Graph tells them."""
    key = await signing_key(resources.redis)
    try:
        token = jwt.decode(authorization.removeprefix("Bearer "), key, algorithms=["RS256"])
    except JoseError:
        return JSONResponse({"error": {"code": "InvalidAuthenticationToken"}}, 401)
    people = {person.oid: person for person in BY_KEY.values()}
    return JSONResponse({"value": list(people[token.claims["oid"]].groups)})


async def logout(
    request: Request,
    resources: Res,
    tenant: str,
    post_logout_redirect_uri: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """End the browser's session here, tell the console, and lead back to it."""
    settings = resources.settings
    public = settings.public_url.rstrip("/")
    return_to = public + "/auth/login"
    if post_logout_redirect_uri.startswith(f"{public}/auth/"):
        return_to = post_logout_redirect_uri
    sid = request.cookies.get(BROWSER_COOKIE, "")
    told = urlencode({"sid": sid, "iss": _issuer(settings, tenant)})
    page = demo_pages.signed_out(f"{public}/auth/front-channel-logout?{told}", return_to)
    page.delete_cookie(BROWSER_COOKIE, path=PREFIX)
    return page
