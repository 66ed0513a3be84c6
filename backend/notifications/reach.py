"""Whose webhook endpoints a caller may see and change."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import repository
from backend.notifications.models import EndpointRow
from backend.platform.errors import NotFound


class NoSuchEndpoint(NotFound):
    """There is no such endpoint, or it is somebody else's."""

    title = "There is no such webhook endpoint"


class NoSuchDelivery(NotFound):
    """There is no such delivery, or it went to somebody else."""

    title = "There is no such delivery"


def reach(principal: Principal, verb: Literal["read", "write"]) -> ColumnElement[bool]:
    """The endpoints that the caller may `verb`: a marketplace its own, others by region.

    Raises Denied for who has neither `integrations:<verb>` nor, as a program, `webhooks:write`.
    """
    scopes = identity.scopes(principal, f"integrations:{verb}")
    if owns(principal):
        return repository.visible(principal.id, scopes)
    identity.authorize(principal, f"integrations:{verb}")
    return repository.visible(None, scopes)


def owns(principal: Principal) -> bool:
    """Whether the caller is a program that may have endpoints of its own."""
    return principal.kind == "service" and identity.may(principal, "webhooks:write")


def authorize_change(principal: Principal, row: EndpointRow) -> None:
    """Let a caller change an endpoint that they see; raises Denied where they may only look."""
    if not (owns(principal) and row.merchant == principal.id):
        identity.authorize(principal, "integrations:write", row.region)
