"""Orders from a table file: read, judged cell by cell, and taken in."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.order_schemas import ImportPreview, ImportResult
from backend.identity.schemas import Principal


async def preview_import(
    session: AsyncSession, principal: Principal, content: bytes
) -> ImportPreview:
    """What an import of the file would do, with every fault by line and column; makes nothing."""
    raise NotImplementedError


async def import_orders(
    session: AsyncSession, principal: Principal, content: bytes, *, skip_wrong: bool = False
) -> ImportResult:
    """Take in the file's orders; raises Invalid where a row is wrong, unless those are skipped."""
    raise NotImplementedError
