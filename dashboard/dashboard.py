"""The console as one application: pages, gate, per-event authorisation and lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import reflex as rx

import dashboard.pages
import dashboard.runtime  # noqa: F401 - switches Reflex before the app is made
from backend.api import create_api
from backend.flags.delivery import delivering
from backend.flags.service import register_guard
from backend.incidents.service import register_indicator
from backend.insights import service as insights
from backend.insights.counting import counting
from backend.platform.memory import keep_what_is_loaded
from backend.platform.metrics_board import showing
from backend.platform.resources import open_resources
from backend.platform.telemetry import configure
from backend.settings import get_settings
from backend.tracking.live_hub import live_hub
from dashboard import doors, faults, shell, theme
from dashboard.gate import Gate
from dashboard.guard import Guard
from dashboard.open_doors import ConsoleApp

__all__ = ["app"]

app = ConsoleApp(
    stylesheets=theme.STYLESHEETS,
    head_components=[
        rx.el.script(src="/console.js"),
        rx.el.link(rel="icon", href="/icon.svg", type="image/svg+xml"),
    ],
    html_lang="en",
    toaster=None,
    app_wraps={(55, "ErrorBoundary"): lambda _: faults.boundary()},
    backend_exception_handler=faults.tell_backend_fault,
    frontend_exception_handler=faults.log_frontend_fault,
    api_transformer=[create_api(), Gate],
)
app.add_middleware(Guard())

for page in shell.PAGES:
    app.add_page(
        page.component,
        route=page.route,
        title=f"{page.title} · Waypost",
        on_load=list(page.on_load),
    )
app.add_page(faults.not_found, route="404", title="Not found · Waypost")


@asynccontextmanager
async def _serving() -> AsyncIterator[None]:
    """Everything a web process holds open while it serves."""
    settings = get_settings()
    configure("web", settings)
    register_indicator(insights.what_is_bad)
    register_guard(insights.SloGuard())
    async with (
        open_resources(settings) as resources,
        delivering(resources),
        counting(resources.database),
        showing(resources.redis, "web"),
        live_hub(resources),
        doors.watch(app),
    ):
        keep_what_is_loaded()
        yield


app.register_lifespan_task(_serving)
