"""What goes wrong on the command line is said in one sentence, without a traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from backend.platform.resources import Resources
from tests.support.system import free_port, waypost

_DEAD = "postgresql://nobody@127.0.0.1:1/nothing"


def _stores(resources: Resources) -> dict[str, str]:
    return {
        "WAYPOST_DATABASE_URL": resources.settings.database_url,
        "WAYPOST_REDIS_URL": resources.settings.redis_url,
        "WAYPOST_ENV": "demo",
    }


def _refused(*arguments: str, says: str, environment: dict[str, str] | None = None) -> None:
    result = waypost(*arguments, environment=environment)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr + result.stdout
    assert says in " ".join((result.stderr + result.stdout).split())


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        _refused(
            "up", "--demo", "--port", port, "--data", str(tmp_path / "d"), says=f"port {port} on"
        )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("")
    _refused("up", "--demo", "--data", str(obstacle / "data"), says="cannot be written to")


def test_up_without_a_provider_names_the_settings(tmp_path: Path) -> None:
    _refused("up", "--data", str(tmp_path / "d"), says="WAYPOST_OIDC_TENANT_ID")


def test_web_names_the_missing_stores() -> None:
    _refused("web", says="WAYPOST_DATABASE_URL and WAYPOST_REDIS_URL not set")


def test_a_wrong_database_address_is_named(resources: Resources) -> None:
    environment = _stores(resources) | {"WAYPOST_DATABASE_URL": "mysql://x/y"}
    _refused("worker", says="must be a postgresql:// address", environment=environment)


def test_an_unreachable_database_is_named(resources: Resources) -> None:
    environment = _stores(resources) | {"WAYPOST_DATABASE_URL": _DEAD}
    _refused("migrate", says="WAYPOST_DATABASE_URL", environment=environment)
    _refused("check", says="WAYPOST_DATABASE_URL", environment=environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYPOST_DATABASE_URL", _DEAD),
        ("WAYPOST_DATABASE_URL", "sqlite:///x"),
        ("WAYPOST_DATABASE_URL", "garbage"),
        ("WAYPOST_REDIS_URL", "redis://127.0.0.1:1"),
        ("WAYPOST_REDIS_URL", "http://127.0.0.1"),
    ],
)
def test_up_does_not_start_on_a_store_that_is_not_there(
    tmp_path: Path, name: str, value: str
) -> None:
    port = str(free_port())
    arguments = ("up", "--demo", "--port", port, "--data", str(tmp_path / "d"))
    _refused(*arguments, says=name, environment={name: value})


def test_an_unknown_role_is_named_with_the_known_ones(resources: Resources) -> None:
    _refused("worker", "juggler", says="no role juggler", environment=_stores(resources))


def test_production_refuses_every_unsafe_setting_by_name() -> None:
    result = waypost("check", environment={"WAYPOST_ENV": "production"})
    assert result.returncode != 0
    for name in ("PUBLIC_URL", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "OIDC_TENANT_ID"):
        assert f"WAYPOST_{name}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "OIDC_GROUP_GRANTS"])
def test_a_setting_that_is_not_json_is_named(name: str) -> None:
    _refused("check", says=f"WAYPOST_{name}", environment={f"WAYPOST_{name}": "10.0.0.0/8"})


def test_tokens_need_a_running_system(tmp_path: Path) -> None:
    _refused("token", "--role", "viewer", "--data", str(tmp_path), says="no waypost is running")


@pytest.mark.parametrize("ttl", ["", "8", "h", "-1h", "0m", "8y"])
def test_a_life_that_is_no_duration_is_refused(tmp_path: Path, ttl: str) -> None:
    arguments = ("token", "--role", "viewer", "--ttl", ttl, "--data", str(tmp_path))
    _refused(*arguments, says="--ttl")


def test_check_passes_on_a_whole_system(resources: Resources) -> None:
    result = waypost("check", environment=_stores(resources))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAIL" not in result.stdout
