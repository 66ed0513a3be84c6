"""How the web process is started: Granian serving the console and the API on one port."""

from __future__ import annotations

import sys

from backend.settings import Settings, child_environment

APPLICATION = "dashboard.dashboard:app"


def command(settings: Settings, host: str, port: int) -> list[str]:
    """The command line that serves the built console and the API."""
    return [
        sys.executable, "-m", "granian",
        "--interface", "asgi", "--factory", "--loop", "uvloop",
        "--host", host, "--port", str(port),
        "--workers", str(settings.web_workers),
        "--respawn-failed-workers", "--respawn-interval", "0.5",
        "--workers-kill-timeout", "5",
        "--http", "1",
        "--log-level", "warning",
        APPLICATION,
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """The environment of the web process: the console is served as built, never compiled anew."""
    return child_environment(
        __REFLEX_MOUNT_FRONTEND_COMPILED_APP="true",
        __REFLEX_SKIP_COMPILE="true",
        REFLEX_USE_NPM="1",
    )
