"""Configuration of the console's Reflex application."""

import reflex as rx

from backend.settings import get_settings

_settings = get_settings()

config = rx.Config(
    app_name="dashboard",
    api_url=_settings.public_url,
    cors_allowed_origins=[_settings.public_url],
    redis_url=_settings.redis_url or None,
    # How long a killed process can keep a tab's state to itself.
    redis_lock_expiration=6_000,
    transport="websocket",
    default_color_mode="dark",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
