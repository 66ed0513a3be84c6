"""A sign-in from its first redirect to a session, and its end here and at the provider."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import orjson

from backend.identity import demo_provider
from backend.identity.access import DirectoryPerson, enrol
from backend.identity.audit import record
from backend.identity.oidc import OidcConfig, Provider, SignedIn, SignInRefused
from backend.identity.rules import digest_of, new_secret, safe_next
from backend.identity.schemas import GrantScope, Principal
from backend.identity.sessions import (
    Visitor,
    begin_session,
    end_session,
    session_id_of,
)
from backend.platform.ratelimit import take
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger
from backend.settings import Settings

STATE_LIFE_S = 600
CALLBACK = "/auth/callback"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and the cookie that ties the answer to it."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A sign-in that passed; no cookie where the person has no role yet."""

    name: str
    email: str | None
    cookie_value: str | None
    next: str


def config_of(settings: Settings) -> OidcConfig:
    """The registration that the settings name; the demo provider's in a demo."""
    redirect_uri = settings.public_url.rstrip("/") + CALLBACK
    if settings.demo:
        return demo_provider.config(settings, redirect_uri)
    secret = settings.oidc_client_secret
    return OidcConfig(
        authority=settings.oidc_authority.rstrip("/"),
        tenant_id=settings.oidc_tenant_id,
        client_id=settings.oidc_client_id,
        redirect_uri=redirect_uri,
        client_secret=secret.get_secret_value() if secret else None,
        certificate=settings.oidc_client_certificate,
        graph_url=settings.oidc_graph_url.rstrip("/"),
        group_grants=settings.oidc_group_grants,
    )


_providers: dict[int, tuple[Settings, Provider]] = {}


def provider_of(settings: Settings) -> Provider:
    """This process's provider, with its metadata and keys kept between sign-ins."""
    kept = _providers.get(id(settings))
    if kept is None:
        # Settings are held too, so that their id stays theirs.
        kept = _providers[id(settings)] = (settings, Provider(config_of(settings)))
    return kept[1]


async def limit(resources: Resources, address: str) -> None:
    """Take one sign-in step from the address's budget; raises RateLimited."""
    await take(resources.redis, f"sign-in:{address}", rate_per_s=1, burst=60)


async def start(resources: Resources, target: str | None, browser_secret: str | None) -> Started:
    """Begin a sign-in that leads to `target`; raises ProviderUnavailable."""
    begun = await provider_of(resources.settings).begin()
    browser = browser_secret or new_secret()
    held = {
        "nonce": begun.nonce,
        "verifier": begun.code_verifier,
        "next": safe_next(target),
        "browser": digest_of(browser).hex(),
    }
    await resources.redis.set(_key(begun.state), orjson.dumps(held), ex=STATE_LIFE_S)
    return Started(begun.url, browser)


async def finish(
    resources: Resources,
    *,
    code: str,
    state: str,
    browser_secret: str | None,
    old_cookie: str | None,
    address: str,
    agent: str,
) -> Finished:
    """Check the provider's answer and begin a session.

    Each started sign-in is good for one answer, given by the browser that started it. Raises
    SignInRefused, ProviderUnavailable or RateLimited.
    """
    raw = await resources.redis.getdel(_key(state)) if state else None
    if raw is None:
        raise SignInRefused("unknown_state", "This sign-in was not started here, or is over.")
    held = orjson.loads(raw)
    presented = digest_of(browser_secret or "").hex()
    if not hmac.compare_digest(presented, held["browser"]):
        raise SignInRefused("foreign_browser", "This sign-in was started in another browser.")
    if not code:
        raise SignInRefused("missing_code", "The provider sent no code.")
    who = await provider_of(resources.settings).finish(
        code, nonce=held["nonce"], code_verifier=held["verifier"]
    )
    await take(
        resources.redis, f"sign-in:{who.tenant_id}:{who.object_id}", rate_per_s=0.2, burst=20
    )
    return await _admit(resources, who, held["next"], old_cookie, address, agent)


async def _admit(
    resources: Resources,
    who: SignedIn,
    target: str,
    old_cookie: str | None,
    address: str,
    agent: str,
) -> Finished:
    person = DirectoryPerson(who.tenant_id, who.object_id, who.name, who.email, who.grants)
    async with resources.database.unit_of_work() as session:
        person_id, grants = await enrol(session, person)
        held = tuple(GrantScope(grant.role, grant.region) for grant in grants)
        principal = Principal("user", f"user:{person_id}", who.name, held, address=address)
        await record(
            session,
            principal,
            "signin.completed" if held else "signin.without_role",
            f"user:{person_id}",
            after={"grants": [list(scope) for scope in held], "agent": agent[:200]},
        )
    if old_cookie:
        await end_session(resources, session_id_of(old_cookie), "replaced")
    if not held:
        return Finished(who.name, who.email, None, "/")
    visitor = Visitor(person_id, who.name, who.email, address, agent, who.sid, who.logout_hint)
    return Finished(who.name, who.email, await begin_session(resources, visitor), target)


async def refuse(resources: Resources, refusal: SignInRefused, address: str) -> None:
    """Record a sign-in that failed a check."""
    _log.warning("signin_refused", code=refusal.code, detail=refusal.detail, address=address)
    stranger = Principal("user", "stranger", "Stranger", address=address)
    async with resources.database.unit_of_work() as session:
        await record(
            session,
            stranger,
            "signin.refused",
            "sign-in",
            after={"code": refusal.code},
            reason=refusal.detail,
            outcome="failed",
        )


async def sign_out(resources: Resources, cookie_value: str | None, return_to: str) -> str:
    """End the session here; answers where the provider's session is ended as well."""
    fields: dict[str, str] = {}
    if cookie_value:
        fields = await end_session(resources, session_id_of(cookie_value), "signed out")
    if fields:
        async with resources.database.unit_of_work() as session:
            principal = Principal(
                "user",
                f"user:{fields['person']}",
                fields["name"],
                session_id=session_id_of(cookie_value or ""),
                address=fields["address"],
            )
            await record(session, principal, "session.ended", principal.id)
    return await provider_of(resources.settings).logout_url(
        return_to, fields.get("logout_hint", "")
    )


def _key(state: str) -> str:
    return f"identity:signin:{digest_of(state).hex()}"
