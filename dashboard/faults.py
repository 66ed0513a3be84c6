"""What people see when something is not there or went wrong."""

import reflex as rx
from redis.exceptions import RedisError
from reflex.event import EventSpec
from reflex_components_core.base.error_boundary import ErrorBoundary
from sqlalchemy.exc import DBAPIError

from backend.platform.errors import DomainError, Unauthenticated
from backend.platform.telemetry import current_trace_id, get_logger
from dashboard.components.basics import link
from dashboard.states.shell import ShellState

_log = get_logger(__name__)


def not_found() -> rx.Component:
    """The page for an address that leads nowhere."""
    return rx.el.main(
        rx.el.div(
            rx.el.h1("There is nothing at this address"),
            rx.el.p("It may have moved, or you may not have access to it."),
            link("Go to the overview", to="/", class_name="wp-button wp-button-main"),
            class_name="wp-alone",
        ),
        class_name="wp-alone-page",
    )


def boundary() -> rx.Component:
    """Catches a fault while drawing a page, and offers to load it again."""
    return ErrorBoundary.create(
        fallback_render=rx.Var.create(
            rx.el.main(
                rx.el.div(
                    rx.el.h1("This page could not be drawn"),
                    rx.el.p("The fault was reported. Loading the page again usually helps."),
                    rx.el.a("Load again", href="", class_name="wp-button wp-button-main"),
                    class_name="wp-alone",
                    role="alert",
                ),
                class_name="wp-alone-page",
            )
        )
    )


def tell_backend_fault(exception: Exception) -> EventSpec | None:
    """Put a refusal or a fault of a handler into the console's message line."""
    if isinstance(exception, Unauthenticated):
        return None
    if isinstance(exception, DomainError):
        return ShellState.show_fault(exception.detail)
    trace = current_trace_id() or "none"
    if isinstance(exception, (RedisError, DBAPIError, OSError)):
        _log.error("console_store_unavailable", error=repr(exception))
        return ShellState.show_fault("A store does not answer; nothing was changed. Try again.")
    _log.error("console_handler_failed", exc_info=exception)
    return ShellState.show_fault(f"Something broke on our side. Trace {trace}.")


def log_frontend_fault(exception: Exception) -> None:
    """Log what a browser reports."""
    _log.warning("browser_fault", error=str(exception)[:2_000])
