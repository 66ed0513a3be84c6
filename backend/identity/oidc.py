"""OpenID Connect against Entra ID through Authlib, with every check of a sign-in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import StarletteOAuth2App
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64encode

from backend.identity.rules import parse_app_roles
from backend.identity.schemas import GrantScope
from backend.platform.errors import Forbidden, Unavailable
from backend.platform.telemetry import get_logger, tracer

LEEWAY_S = 30
_TIMEOUT_S = 10.0
# Only this, whatever the provider's metadata advertises.
_ALGORITHMS = ["RS256"]
_ASSERTION_LIFE_S = 300

_log = get_logger(__name__)


class SignInRefused(Forbidden):
    """The provider's answer did not pass a check; `code` says which."""

    title = "The sign-in could not be completed"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class ProviderUnavailable(Unavailable):
    """The identity provider did not answer, or not sensibly."""

    code = "provider_unavailable"
    title = "The identity provider does not answer"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """One registration of this console at one tenant."""

    authority: str
    tenant_id: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = None
    certificate: Path | None = None
    graph_url: str = "https://graph.microsoft.com"
    group_grants: Mapping[str, str] = field(default_factory=dict)
    # Set for a provider in this very process: asked without the network, so never in a deadlock.
    transport: httpx2.AsyncBaseTransport | None = None

    @property
    def issuer(self) -> str:
        """What `iss` has to say, exactly."""
        return f"{self.authority}/{self.tenant_id}/v2.0"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where to send the browser, and what its answer has to fit."""

    url: str
    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who the provider says this is, after every check."""

    tenant_id: str
    object_id: str
    name: str
    email: str | None
    grants: tuple[GrantScope, ...]
    sid: str
    logout_hint: str


class _CertificateAssertion(PrivateKeyJWT):  # type: ignore[misc]
    """`private_key_jwt` as Entra wants it: PS256, the certificate's thumbprint, a short life."""

    alg = "PS256"

    def sign(self, auth: Any, token_endpoint: str) -> str:
        now = int(time.time())
        signed: str = private_key_jwt_sign(
            auth.client_secret,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=self.alg,
            claims={"nbf": now, "exp": now + _ASSERTION_LIFE_S},
            header=dict(self.headers),
        )
        return signed


class Provider:
    """The identity provider as one process uses it; its metadata and keys are kept."""

    def __init__(self, config: OidcConfig) -> None:
        self.config = config
        scope = "openid profile email"
        if config.group_grants:
            scope += " User.Read GroupMember.Read.All"
        secret: object = config.client_secret
        method, auth_methods = "client_secret_post", []
        if config.certificate is not None:
            secret, assertion = _certificate(config.certificate)
            method, auth_methods = assertion.name, [assertion]
        self._client_kwargs: dict[str, Any] = {"timeout": _TIMEOUT_S}
        if config.transport is not None:
            self._client_kwargs["transport"] = config.transport
        self._app = StarletteOAuth2App(
            None,
            name="entra",
            client_id=config.client_id,
            client_secret=secret,
            server_metadata_url=f"{config.issuer}/.well-known/openid-configuration",
            client_auth_methods=auth_methods,
            client_kwargs={
                **self._client_kwargs,
                "scope": scope,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": method,
            },
        )

    async def begin(self) -> Begun:
        """Where to send the browser; raises ProviderUnavailable."""
        await self._metadata()
        made = await self._app.create_authorization_url(self.config.redirect_uri)
        return Begun(made["url"], made["state"], made["nonce"], made["code_verifier"])

    async def finish(self, code: str, *, nonce: str, code_verifier: str) -> SignedIn:
        """Exchange the code and check the id token.

        Raises SignInRefused for whatever does not fit, ProviderUnavailable where no answer came.
        """
        with tracer.start_as_current_span("oidc.finish"):
            await self._metadata()
            try:
                token = await self._app.fetch_access_token(
                    self.config.redirect_uri, code=code, code_verifier=code_verifier
                )
            except OAuthError as error:
                raise SignInRefused(
                    error.error or "refused", "The code was not accepted."
                ) from error
            except (httpx2.HTTPError, ValueError) as error:
                raise ProviderUnavailable from error
            claims = await self._checked(token, nonce)
            return await self._signed_in(claims, token.get("access_token", ""))

    async def logout_url(self, return_to: str, hint: str) -> str:
        """Where to send the browser so that the provider's session ends too."""
        await self._metadata()
        made = await self._app.create_logout_url(
            return_to, client_id=self.config.client_id, **({"logout_hint": hint} if hint else {})
        )
        return str(made["url"])

    async def _metadata(self) -> Mapping[str, Any]:
        try:
            metadata: dict[str, Any] = await self._app.load_server_metadata()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnavailable from error
        # Tenant-independent metadata carries a placeholder where the tenant belongs.
        issuer = str(metadata.get("issuer", ""))
        if issuer.replace("{tenantid}", self.config.tenant_id) != self.config.issuer:
            metadata.pop("_loaded_at", None)
            _log.error("foreign_issuer_in_metadata", issuer=issuer)
            raise ProviderUnavailable("The provider's metadata names another issuer.")
        metadata["id_token_signing_alg_values_supported"] = list(_ALGORITHMS)
        return metadata

    def _claims_options(self) -> dict[str, dict[str, Any]]:
        # Made afresh for each check: Authlib takes things out of what it is given.
        return {
            "iss": {"essential": True, "value": self.config.issuer},
            "aud": {"essential": True, "value": self.config.client_id},
            "tid": {"essential": True, "value": self.config.tenant_id},
            "oid": {"essential": True},
            "nbf": {"essential": True},
        }

    async def _checked(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        if not token.get("id_token"):
            raise SignInRefused("missing_id_token", "The provider sent no id token.")
        try:
            claims: Mapping[str, Any] = await self._app.parse_id_token(
                token, nonce=nonce, claims_options=self._claims_options(), leeway=LEEWAY_S
            )
        except JoseError as error:
            raise SignInRefused(error.error, f"The id token was refused: {error}") from error
        except httpx2.HTTPError as error:
            raise ProviderUnavailable from error
        except (ValueError, TypeError) as error:
            raise SignInRefused("unreadable_token", "The id token cannot be read.") from error
        # Authlib is content with a list that holds the right value; here it must be the only one.
        expected = {
            "iss": self.config.issuer,
            "tid": self.config.tenant_id,
            "aud": self.config.client_id,
            "nonce": nonce,
        }
        for name, value in expected.items():
            if claims.get(name) not in (value, [value] if name == "aud" else value):
                raise SignInRefused("invalid_claim", f"The id token was refused: {name}")
        if not isinstance(claims.get("oid"), str):
            raise SignInRefused("invalid_claim", "The id token was refused: oid")
        return claims

    async def _signed_in(self, claims: Mapping[str, Any], access_token: str) -> SignedIn:
        values = list(claims.get("roles") or [])
        if self.config.group_grants:
            groups = await self._groups(claims, access_token)
            values += [
                self.config.group_grants[group]
                for group in groups
                if group in self.config.group_grants
            ]
        grants, unknown = parse_app_roles(values)
        if unknown:
            _log.warning("unknown_app_roles", roles=unknown, oid=claims["oid"])
        return SignedIn(
            tenant_id=claims["tid"],
            object_id=claims["oid"],
            name=str(claims.get("name") or claims.get("preferred_username") or "Someone"),
            email=claims.get("email") or claims.get("preferred_username"),
            grants=tuple(grants),
            sid=str(claims.get("sid") or ""),
            logout_hint=str(claims.get("login_hint") or ""),
        )

    async def _groups(self, claims: Mapping[str, Any], access_token: str) -> list[str]:
        """The person's groups; too many for the token means that Graph knows, never none."""
        names = claims.get("_claim_names")
        overage = (isinstance(names, Mapping) and "groups" in names) or claims.get("hasgroups")
        if not overage:
            return list(claims.get("groups") or [])
        url = f"{self.config.graph_url}/v1.0/me/getMemberObjects"
        headers = {"Authorization": f"Bearer {access_token}"}
        try:
            async with httpx2.AsyncClient(**self._client_kwargs) as client:
                answer = await client.post(url, json={"securityEnabledOnly": True}, headers=headers)
                answer.raise_for_status()
                return list(answer.json()["value"])
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            raise ProviderUnavailable("Your groups could not be read; try again.") from error


def _certificate(path: Path) -> tuple[RSAKey, _CertificateAssertion]:
    pem = path.read_bytes()
    thumbprint = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())
    header = {"x5t#S256": urlsafe_b64encode(thumbprint).decode()}
    return RSAKey.import_key(pem), _CertificateAssertion(headers=header)
