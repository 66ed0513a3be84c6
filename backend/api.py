"""The HTTP API: routers, error handlers and middleware, no business code."""

from __future__ import annotations

from fastapi import FastAPI

from backend import health
from backend.dispatch import (
    customer_endpoints,
    driver_endpoints,
    matching_endpoints,
    order_endpoints,
    order_import_endpoints,
    proof_endpoints,
    roster_endpoints,
    roster_export_endpoints,
)
from backend.dispatch.customer_page import Beside
from backend.flags import endpoints as flags
from backend.flags import ofrep, sheet_endpoints
from backend.identity import auth_endpoints, export_endpoints
from backend.identity import endpoints as identity
from backend.incidents import endpoints as incidents
from backend.incidents import export_endpoints as incident_exports
from backend.incidents import hook_endpoints as monitoring
from backend.incidents import on_call_endpoints as on_call
from backend.insights import endpoints as insights
from backend.insights import rating_page
from backend.notifications import endpoints as notifications
from backend.notifications import (
    message_endpoints,
    message_export_endpoints,
    message_hooks,
    phone_endpoints,
)
from backend.payments import endpoints as payments
from backend.platform.drills import SlowedDown
from backend.platform.http import BoundedBody, Observed, install_error_handlers
from backend.regions import endpoints as regions
from backend.settings import get_settings
from backend.support import customer_endpoints as support_for_customers
from backend.support import endpoints as support
from backend.support import export_endpoints as support_exports
from backend.support import lookup_endpoints as lookup
from backend.support import settings_endpoints as support_settings
from backend.support.customer_help import help_and_talk
from backend.support.customer_preferences import language_of, preferences
from backend.tracking import doorways
from backend.tracking import endpoints as tracking


def create_api() -> FastAPI:
    """The API as one ASGI application; resources are opened by whoever serves it."""
    settings = get_settings()
    api = FastAPI(
        title="Waypost",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None if settings.production else "/api/docs",
        redoc_url=None,
        # `Observed` does this once for everything; FastAPI's own would do it a second time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    install_error_handlers(api)
    # First, because routes are tried in order and phones ask for these far more than for others.
    api.router.routes.extend(doorways.router.routes)
    api.router.routes.extend(ofrep.router.routes)
    api.include_router(health.router)
    api.include_router(auth_endpoints.create_router(settings))
    api.include_router(identity.router)
    api.include_router(export_endpoints.router)
    api.include_router(regions.router)
    api.include_router(tracking.router)
    api.include_router(order_endpoints.router)
    api.include_router(order_import_endpoints.router)
    api.include_router(roster_endpoints.router)
    api.include_router(roster_export_endpoints.router)
    api.include_router(matching_endpoints.router)
    api.include_router(driver_endpoints.router)
    api.include_router(proof_endpoints.router)
    if settings.demo:
        api.include_router(proof_endpoints.demo)
    api.include_router(
        customer_endpoints.create_router(
            language_of,
            Beside(before=[rating_page.stars], after=[help_and_talk, preferences]),
        )
    )
    api.include_router(payments.router)
    api.include_router(notifications.router)
    api.include_router(message_export_endpoints.router)
    api.include_router(message_endpoints.router)
    api.include_router(message_hooks.router)
    api.include_router(phone_endpoints.router)
    api.include_router(flags.router)
    api.include_router(sheet_endpoints.router)
    api.include_router(monitoring.router)
    api.include_router(incidents.router)
    api.include_router(incident_exports.router)
    api.include_router(on_call.router)
    # Before the others of support, for a number may stand where these have a word.
    api.include_router(support_settings.router)
    api.include_router(support.router)
    api.include_router(support_for_customers.router)
    api.include_router(support_exports.router)
    api.include_router(lookup.router)
    api.include_router(insights.router)
    api.add_middleware(BoundedBody, limits={flags.IMPORT_PATH: flags.MAX_IMPORT_BYTES})
    if settings.demo:
        api.add_middleware(SlowedDown)
    api.add_middleware(Observed)
    return api
