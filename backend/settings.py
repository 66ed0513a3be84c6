"""Every setting of Waypost, read from the environment in this one place."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode
from collections.abc import Mapping
from datetime import time
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

DEVELOPMENT_SECRET = "waypost-development-secret-never-for-production"  # noqa: S105


class SettingsError(Exception):
    """One or more settings are missing or unsafe; the message names them."""


class Settings(BaseSettings):
    """The configuration of one process; `WAYPOST_` stands before each name in the environment."""

    model_config = SettingsConfigDict(env_prefix="WAYPOST_", env_file=".env", extra="ignore")

    env: Literal["demo", "development", "production"] = Field(
        "development",
        description="`demo` adds the demo identity provider; `production` refuses unsafe values.",
    )
    data_dir: Path = Field(Path(".waypost"), description="Where embedded stores and caches live.")
    database_url: str = Field(
        "", description="PostgreSQL 15+, `postgresql://user:password@host/name`."
    )
    redis_url: str = Field("", description="Redis 7+ or Valkey 8+, `redis://host:port/0`.")
    events_url: str = Field("", description="Event log; empty means Streams on `REDIS_URL`.")
    public_url: str = Field("http://localhost:8000", description="The address browsers use.")
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Keys cookies, audit chain and signed links."
    )

    oidc_authority: str = Field(
        "https://login.microsoftonline.com", description="Base address of the identity provider."
    )
    oidc_tenant_id: str = Field("", description="Entra tenant (directory) id.")
    oidc_client_id: str = Field("", description="Entra application (client) id.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Client secret, or a certificate below."
    )
    oidc_client_certificate: Path | None = Field(
        None, description="PEM file with private key and certificate for `private_key_jwt`."
    )
    oidc_group_grants: dict[str, str] = Field(
        default_factory=dict,
        description='Roles by directory group, as JSON: `{"group id": "fleet_manager.TH-10"}`.',
    )
    oidc_graph_url: str = Field(
        "https://graph.microsoft.com",
        description="Microsoft Graph, asked for groups that do not fit into a token.",
    )
    session_idle_s: int = Field(
        1800, ge=60, description="A session ends after this long without activity."
    )
    session_absolute_s: int = Field(
        36_000, ge=300, description="A session ends after this long at the latest."
    )
    session_cap: int = Field(
        5, ge=1, description="Sessions a person may hold at once; the oldest goes."
    )
    reveals_per_hour: int = Field(
        60, ge=1, description="Unmasked personal details that a person may look at in an hour."
    )

    live_after_s: int = Field(
        30, ge=5, description="A driver is `live` this long after the last fix."
    )
    offline_after_s: int = Field(
        300, ge=10, description="A driver is `stale` until then, `offline` after."
    )
    fix_retention_days: int = Field(
        90, ge=3, description="Position history older than this is dropped."
    )
    event_log_max_mb: int = Field(
        512, ge=16, description="Ingest answers 503 when the log holds more."
    )

    map_style_url: str = Field(
        "https://tiles.openfreemap.org/styles/positron", description="MapLibre style, light."
    )
    map_style_url_dark: str = Field(
        "https://tiles.openfreemap.org/styles/dark", description="MapLibre style, dark."
    )
    tracking_link_days: int = Field(
        7, ge=1, le=90, description="A customer's tracking link works this long after the order."
    )
    tracking_open_days: int = Field(
        30,
        ge=1,
        le=365,
        description="An unfinished order's link works this long after the promise or its renewal.",
    )
    tracking_help: str = Field(
        "",
        max_length=300,
        description="A sentence for customers at the end of their tracking page, as it is.",
    )

    routing_url: str = Field(
        "", description="OSRM-shaped travel time service; empty means the fallback."
    )

    dispatch_every_s: float = Field(
        2.0, ge=0.2, le=60, description="Each city is matched this often."
    )
    dispatch_offer_s: int = Field(
        25, ge=5, le=600, description="A driver may think about an offer this long."
    )
    dispatch_cool_down_s: int = Field(
        300, ge=0, description="A driver is not asked again for an order this long."
    )
    dispatch_unmatched_after_s: int = Field(
        600, ge=10, description="An order that nobody took for so long is escalated."
    )
    dispatch_late_s: int = Field(
        900, ge=60, description="A driver who would be so late for a pickup loses it to another."
    )

    stripe_api_key: SecretStr | None = Field(None, description="Secret key of Stripe's API.")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="Signs Stripe's webhooks; unset refuses them all."
    )
    stripe_url: str = Field("https://api.stripe.com", description="Where Stripe's API is.")
    razorpay_key_id: str = Field("", description="Key id of Razorpay's API.")
    razorpay_key_secret: SecretStr | None = Field(None, description="Its secret.")
    razorpay_webhook_secret: SecretStr | None = Field(
        None, description="Signs Razorpay's webhooks; unset refuses them all."
    )
    razorpay_url: str = Field("https://api.razorpay.com", description="Where Razorpay's API is.")
    gateways: dict[str, str] = Field(
        default_factory=dict,
        description='Gateway by country, as JSON: `{"IN": "razorpay", "*": "stripe"}`; '
        "the sandbox where none is named, but in production.",
    )
    commission_bp: int = Field(
        200, ge=0, le=5_000, description="The platform's share of a payment, in basis points."
    )
    settlement_late_after_s: int = Field(
        3_600, ge=1, description="A delivered order not paid by then is told as late."
    )
    cod_late_after_s: int = Field(
        86_400, ge=1, description="Cash not handed in by then is told as late."
    )

    flags_requests_per_s: int = Field(
        1_000, ge=1, description="A flag key may ask each web process this often."
    )

    web_workers: int = Field(2, ge=1, le=64, description="Web processes behind the one port.")
    trusted_proxies: list[IPvAnyNetwork] = Field(
        default_factory=list,
        description=(
            "Load balancers whose `X-Forwarded-For` is believed, as JSON of addresses or networks: "
            '`["10.0.0.0/8"]`.'
        ),
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; needed in production."
    )
    otel_endpoint: str = Field(
        "",
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="OTLP over HTTP; traces, metrics and logs are exported when set.",
    )
    trace_sample: float = Field(
        1.0, ge=0, le=1, description="Share of traces that are exported, 0 to 1."
    )
    order_traces_url: str = Field(
        "", description="Page that finds an order's traces, with `{number}` in it."
    )
    trace_url: str = Field(
        "", description="Page of a trace, with `{trace_id}` in it; incidents link there."
    )
    logs_url: str = Field("", description="Page of a trace's log lines, with `{trace_id}` in it.")
    smtp_url: str = Field(
        "",
        description="Mail server that calls go through, `smtp://user:password@host:587` "
        "(STARTTLS where offered) or `smtps://`; unset sends none.",
    )
    mail_from: str = Field(
        "Waypost <waypost@localhost>", description="Whom mail from Waypost comes from."
    )
    message_channels: list[Literal["push", "whatsapp", "sms", "email"]] = Field(
        ["push", "whatsapp", "sms", "email"],
        description="Channels of messages to customers and drivers, as JSON, in the order tried.",
    )
    message_quiet_begins: time = Field(
        time(21), description="From this hour of the reader's clock only urgent messages are sent,"
    )
    message_quiet_ends: time = Field(
        time(8), description="until this one; the same hour twice means always."
    )
    message_gateway_url: str = Field(
        "", description="Gateway that SMS and WhatsApp messages are posted to."
    )
    message_gateway_secret: SecretStr | None = Field(
        None,
        description="Signs what goes to it and its receipts, `whsec_...` as Standard Webhooks "
        "spell it; unset sends nothing and refuses receipts.",
    )
    message_gateway_channels: list[Literal["whatsapp", "sms"]] = Field(
        ["whatsapp", "sms"], description="What the gateway carries, as JSON."
    )
    fcm_service_account: Path | None = Field(
        None, description="Key file (JSON) of the Google service account that sends pushes."
    )
    fcm_url: str = Field(
        "https://fcm.googleapis.com", description="Where Firebase Cloud Messaging is."
    )
    fcm_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="Where its access tokens come from."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level logged."
    )

    @property
    def demo(self) -> bool:
        """Whether the demo identity provider and sample data are wanted."""
        return self.env == "demo"

    @property
    def production(self) -> bool:
        """Whether unsafe values must stop the start."""
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach this system over https."""
        return self.public_url.startswith("https://")

    @field_validator("message_gateway_secret")
    @classmethod
    def refuse_what_is_no_secret(cls, value: SecretStr | None) -> SecretStr | None:
        """Stop a start with a secret that no signature can be made with."""
        if value is not None:
            prefix, spelled, key = value.get_secret_value().partition("whsec_")
            try:
                good = not prefix and spelled and b64decode(key, validate=True)
            except binascii.Error:
                good = False
            if not good:
                raise ValueError("give it as whsec_ and the key in base64")
        return value

    @model_validator(mode="after")
    def refuse_unsafe_production(self) -> Self:
        """Stop a production start that would run on a default or missing secret."""
        if not self.production:
            return self
        problems = [
            (not self.secure_cookies, "WAYPOST_PUBLIC_URL must be an https address"),
            (
                self.secret_key.get_secret_value() == DEVELOPMENT_SECRET,
                "WAYPOST_SECRET_KEY is not set",
            ),
            (
                len(self.secret_key.get_secret_value()) < 32,
                "WAYPOST_SECRET_KEY is shorter than 32 characters",
            ),
            (not self.database_url, "WAYPOST_DATABASE_URL is not set"),
            (not self.redis_url, "WAYPOST_REDIS_URL is not set"),
            (not self.oidc_tenant_id, "WAYPOST_OIDC_TENANT_ID is not set"),
            (not self.oidc_client_id, "WAYPOST_OIDC_CLIENT_ID is not set"),
            (
                self.oidc_client_secret is None and self.oidc_client_certificate is None,
                "WAYPOST_OIDC_CLIENT_SECRET or WAYPOST_OIDC_CLIENT_CERTIFICATE is not set",
            ),
            (self.metrics_token is None, "WAYPOST_METRICS_TOKEN is not set"),
        ]
        found = [message for wrong, message in problems if wrong]
        if found:
            raise ValueError("; ".join(found))
        return self


def load_settings() -> Settings:
    """Read the settings afresh; raises SettingsError with one readable sentence."""
    try:
        return Settings()
    except SourceError as error:
        # Raised for a list or a table that is not JSON, and names the field by its bare name.
        name = str(error).partition('"')[2].partition('"')[0]
        raise SettingsError(f"WAYPOST_{name.upper()} is not JSON") from error
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            name = "".join(f"WAYPOST_{str(part).upper()}: " for part in fault["loc"][:1])
            lines.append(name + fault["msg"].removeprefix("Value error, "))
        raise SettingsError("; ".join(lines)) from error


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()


def child_environment(**values: str) -> dict[str, str]:
    """This process's environment plus `values`, for a child it starts."""
    return {**os.environ, **values}


def adopt(values: Mapping[str, str]) -> Settings:
    """Put `values` under what the environment already says, and read the settings anew."""
    for name, value in values.items():
        os.environ.setdefault(name, value)
    get_settings.cache_clear()
    return get_settings()
