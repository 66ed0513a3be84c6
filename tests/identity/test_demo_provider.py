"""The demo provider stays out of production, and takes Entra's shape."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from backend.identity import auth_endpoints, demo_provider, signin
from backend.identity.demo_people import PEOPLE
from backend.identity.oidc import OidcConfig, Provider
from backend.identity.rules import parse_app_role
from backend.identity.schemas import ROLES
from backend.platform import clock
from backend.settings import Settings

from .signing_in import begin


def production() -> Settings:
    return Settings(
        env="production",
        public_url="https://ops.example.com",
        secret_key=SecretStr("x" * 40),
        database_url="postgresql://h/d",
        redis_url="redis://h",
        oidc_tenant_id="11111111-1111-1111-1111-111111111111",
        oidc_client_id="22222222-2222-2222-2222-222222222222",
        oidc_client_secret=SecretStr("s"),
        metrics_token=SecretStr("m" * 20),
    )


@pytest.mark.parametrize("env", ["production", "development"])
def test_the_demo_provider_refuses_to_exist_outside_of_a_demo(env: str) -> None:
    settings = production().model_copy(update={"env": env})
    with pytest.raises(demo_provider.DemoProviderOutsideDemo):
        demo_provider.create_router(settings)
    with pytest.raises(demo_provider.DemoProviderOutsideDemo):
        demo_provider.config(settings, "https://ops.example.com/auth/callback")


def test_production_mounts_no_route_of_the_demo_provider() -> None:
    api = FastAPI()
    api.include_router(auth_endpoints.create_router(production()))
    paths = list(api.openapi()["paths"]) + [getattr(route, "path", "") for route in api.routes]
    assert not any("demo" in path for path in paths)


async def test_production_answers_nothing_under_the_demo_address() -> None:
    api = FastAPI()
    api.include_router(auth_endpoints.create_router(production()))
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="https://ops.example.com") as client:
        path = f"/auth/demo-idp/{demo_provider.TENANT}/v2.0/.well-known/openid-configuration"
        assert (await client.get(path)).status_code == 404


def test_production_speaks_to_entra() -> None:
    config = signin.config_of(production())
    tenant = "11111111-1111-1111-1111-111111111111"
    assert config.issuer == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert config.redirect_uri == "https://ops.example.com/auth/callback"
    assert config.transport is None


def test_there_is_a_person_for_each_role() -> None:
    grants = [parse_app_role(role) for person in PEOPLE for role in person.roles]
    assert {grant.role for grant in grants if grant} == set(ROLES)
    assert None not in grants


def test_there_are_two_who_can_agree_on_a_sensitive_flag() -> None:
    admins = [person for person in PEOPLE if "admin" in person.roles]
    assert len({person.oid for person in admins}) == 2


async def test_metadata_has_entras_shape(client: httpx.AsyncClient) -> None:
    own = f"/auth/demo-idp/{demo_provider.TENANT}/v2.0/.well-known/openid-configuration"
    metadata = (await client.get(own)).json()
    assert metadata["issuer"].endswith(f"/{demo_provider.TENANT}/v2.0")
    common = (await client.get(own.replace(demo_provider.TENANT, "common"))).json()
    assert "{tenantid}" in common["issuer"]
    keys = (await client.get(metadata["jwks_uri"])).json()["keys"]
    assert all("d" not in key for key in keys)


async def test_the_token_endpoint_wants_the_clients_secret(client: httpx.AsyncClient) -> None:
    token = (await begin(client)).split("?")[0].replace("/authorize", "/token")
    body = {"client_id": demo_provider.CLIENT, "client_secret": "guess", "code": "x"}
    assert (await client.post(token, data=body)).status_code == 401


def certificate(folder: Path) -> tuple[Path, RSAKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "waypost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(clock.now())
        .not_valid_after(clock.now().replace(year=clock.now().year + 1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "client.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path, RSAKey.import_key(pem)


async def test_a_certificate_signs_for_the_client_as_entra_wants_it(tmp_path: Path) -> None:
    path, key = certificate(tmp_path)
    provider = Provider(
        OidcConfig("https://login.example", "t", "client", "https://x/cb", certificate=path)
    )
    (assertion,) = provider._app.client_auth_methods
    auth = type("Auth", (), {"client_id": "client", "client_secret": provider._app.client_secret})
    token = jwt.decode(assertion.sign(auth, "https://login.example/token"), key, ["PS256"])
    assert token.header["alg"] == "PS256"
    assert len(token.header["x5t#S256"]) == 43
    claims = token.claims
    assert (claims["iss"], claims["sub"]) == ("client", "client")
    assert claims["aud"] == "https://login.example/token"
    assert claims["exp"] - claims["nbf"] == 300
    assert claims["jti"]
