"""Lists of payments as CSV: amounts in major units with their code, no cell that is a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import cod, ledger, payments, reconciliation, refunds
from backend.payments.schemas import CodFilter, Money, PaymentFilter, RefundFilter
from backend.platform.money import plain
from backend.platform.spreadsheet import all_rows, lines

_PAGE = 200


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under their names as CSV."""
    return lines([names, *([_plain(value) for value in row] for row in rows)])


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return plain(value.minor, value.currency).partition(" ")[0]
    return value


async def _recorded(session: AsyncSession, principal: Principal, what: str, rows: int) -> None:
    await identity.record(session, principal, "payments.exported", what, after={"rows": rows})


async def export_payments(
    session: AsyncSession, principal: Principal, wanted: PaymentFilter
) -> str:
    """The newest 10,000 matching payments; the export itself is recorded."""
    found = await all_rows(
        lambda after: payments.list_payments(session, principal, wanted, after=after, limit=_PAGE)
    )
    await _recorded(session, principal, "payments", len(found))
    names = (
        "id", "order", "region", "merchant", "terms", "gateway", "reference", "state", "currency",
        "amount", "captured", "refunded", "failure", "created_at", "captured_at",
    )  # fmt: skip
    return table(
        names,
        (
            (
                p.id, p.order, p.region, p.merchant, p.terms, p.gateway, p.gateway_ref, p.state,
                p.amount.currency, p.amount, p.captured, p.refunded, p.failure_code,
                p.created_at.isoformat(), p.captured_at and p.captured_at.isoformat(),
            )
            for p in found
        ),
    )  # fmt: skip


async def export_refunds(session: AsyncSession, principal: Principal, wanted: RefundFilter) -> str:
    """The newest 10,000 matching refunds."""
    found = await all_rows(
        lambda after: refunds.list_refunds(session, principal, wanted, after=after, limit=_PAGE)
    )
    await _recorded(session, principal, "refunds", len(found))
    names = (
        "id", "payment", "order", "region", "currency", "amount", "destination", "state", "reason",
        "requested_by", "decided_by", "reference", "failure", "created_at", "finished_at",
    )  # fmt: skip
    return table(
        names,
        (
            (
                r.id, r.payment_id, r.order, r.region, r.amount.currency, r.amount, r.destination,
                r.state, r.reason, r.requested_by_name, r.decided_by_name, r.gateway_ref,
                r.failure_code, r.created_at.isoformat(),
                r.finished_at and r.finished_at.isoformat(),
            )
            for r in found
        ),
    )  # fmt: skip


async def export_entries(session: AsyncSession, principal: Principal, account_id: UUID) -> str:
    """The newest 10,000 entries of an account."""
    found = await all_rows(
        lambda after: ledger.account_entries(
            session, principal, account_id, after=after, limit=_PAGE
        )
    )
    await _recorded(session, principal, f"account:{account_id}", len(found))
    names = (
        "version", "at", "currency", "amount", "balance", "kind", "order", "other", "transfer",
    )  # fmt: skip
    return table(
        names,
        (
            (
                e.version, e.at.isoformat(), e.currency,
                plain(e.amount, e.currency).partition(" ")[0],
                plain(e.balance, e.currency).partition(" ")[0], e.kind, e.order,
                f"{e.other.kind} {e.other.owner}", e.transfer_id,
            )
            for e in found
        ),
    )  # fmt: skip


async def export_cod(session: AsyncSession, principal: Principal, wanted: CodFilter) -> str:
    """The newest 10,000 matching orders with cash."""
    found = await all_rows(
        lambda after: cod.list_cod_orders(session, principal, wanted, after=after, limit=_PAGE)
    )
    await _recorded(session, principal, "cod", len(found))
    names = (
        "order", "region", "merchant", "state", "driver", "shift", "hub", "currency", "expected",
        "collected", "collected_at", "received_at", "remitted_at", "paid_at",
    )  # fmt: skip
    return table(
        names,
        (
            (
                o.order, o.region, o.merchant, o.state, o.driver_id, o.shift, o.hub,
                o.expected.currency, o.expected, o.collected,
                *(
                    at and at.isoformat()
                    for at in (o.collected_at, o.received_at, o.remitted_at, o.paid_at)
                ),
            )
            for o in found
        ),
    )  # fmt: skip


async def export_differences(
    session: AsyncSession, principal: Principal, reconciliation_id: UUID
) -> str:
    """Every difference of a report."""
    report = await reconciliation.get_reconciliation(session, principal, reconciliation_id)
    await _recorded(session, principal, f"reconciliation:{report.id}", len(report.items))
    names = (
        "line", "kind", "reference", "order", "currency", "theirs", "ours", "detail", "settled",
    )  # fmt: skip

    def major(minor: int | None, currency: str | None) -> str | None:
        return plain(minor, currency).partition(" ")[0] if minor is not None and currency else None

    return table(
        names,
        (
            (
                d.line, d.kind, d.gateway_ref, d.order, d.currency, major(d.theirs, d.currency),
                major(d.ours, d.currency), d.detail, d.settled_note,
            )
            for d in report.items
        ),
    )  # fmt: skip
