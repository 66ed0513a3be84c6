"""Settings are documented, and production refuses what is unsafe."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import Settings, SettingsError, load_settings

README = Path(__file__).resolve().parents[2] / "README.md"
_PRODUCTION = {
    "WAYPOST_ENV": "production",
    "WAYPOST_PUBLIC_URL": "https://console.example",
    "WAYPOST_SECRET_KEY": "k" * 40,
    "WAYPOST_DATABASE_URL": "postgresql://db/waypost",
    "WAYPOST_REDIS_URL": "redis://cache",
    "WAYPOST_OIDC_TENANT_ID": "tenant",
    "WAYPOST_OIDC_CLIENT_ID": "client",
    "WAYPOST_OIDC_CLIENT_SECRET": "secret",
    "WAYPOST_METRICS_TOKEN": "scrape",
}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that is fit for production."""
    for name, value in _PRODUCTION.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readmes_table(name: str) -> None:
    described = Settings.model_fields[name].description
    assert described, f"{name} says nothing of itself"
    row = f"| `{name.upper()}` |" if name != "otel_endpoint" else "| `OTEL_EXPORTER_OTLP_ENDPOINT`"
    [line] = [line for line in README.read_text().splitlines() if line.startswith(row)]
    assert described in line


def test_a_whole_production_environment_starts(production: pytest.MonkeyPatch) -> None:
    assert load_settings().production


@pytest.mark.parametrize("name", sorted(set(_PRODUCTION) - {"WAYPOST_ENV"}))
def test_production_names_the_setting_that_is_missing(
    production: pytest.MonkeyPatch, name: str
) -> None:
    production.delenv(name)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYPOST_PUBLIC_URL", "http://console.example"),
        ("WAYPOST_SECRET_KEY", "short"),
        ("WAYPOST_SESSION_IDLE_S", "soon"),
        ("WAYPOST_ENV", "staging"),
    ],
)
def test_an_unsafe_or_unreadable_value_is_named(
    production: pytest.MonkeyPatch, name: str, value: str
) -> None:
    production.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()
