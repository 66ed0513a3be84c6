"""Whose money a caller may see: a marketplace its own, others that of their regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import Forbidden
from backend.platform.scopes import EVERYWHERE


class Owned(Protocol):
    """What lies in a region and may belong to a marketplace."""

    @property
    def region(self) -> str:
        """Its region's code."""
        ...

    @property
    def merchant(self) -> str | None:
        """The marketplace that it belongs to, if it does to one."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """Regions, and the one marketplace of them if it is only that."""

    scopes: tuple[str, ...]
    merchant: str | None = None


WHOLE = Reach((EVERYWHERE,))


def reach(principal: Principal, permission: str) -> Reach:
    """How far the caller's permission goes."""
    return Reach(identity.scopes(principal, permission), identity.merchant_of(principal))


def owns(principal: Principal, merchant: str | None) -> bool:
    """Whether the caller may know of what belongs to this marketplace."""
    return identity.merchant_of(principal) in (None, merchant)


def may(principal: Principal, permission: str, row: Owned) -> bool:
    """Whether the caller holds the permission where the row lies, and may know of it."""
    return owns(principal, row.merchant) and identity.may(principal, permission, row.region)


def refuse_marketplaces(principal: Principal) -> None:
    """Raise Forbidden for a marketplace: the cash of many lies in one bag."""
    if identity.merchant_of(principal) is not None:
        raise Forbidden("Cash is handed over by Waypost's people alone.")
