"""The verbs on reconciliation: import a gateway's report, list every difference, settle them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.payments import reconciliation_repository as repository
from backend.payments.models import DifferenceRow, PaymentRow, ReconciliationRow
from backend.payments.report_rules import Difference, Ours, compare, read_report, totals
from backend.payments.rules import RefundState, State
from backend.payments.schemas import (
    DifferenceOut,
    ReconciliationDetail,
    ReconciliationOut,
    ReconciliationPage,
    ReportIn,
    SettleDifferenceIn,
)
from backend.platform import clock
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import Conflict, FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.money import EXPONENTS
from backend.platform.outbox import Event, emit
from backend.platform.scopes import covers
from backend.regions import service as regions

READ = "reconciliation:read"
WRITE = "reconciliation:write"


class NoSuchReport(NotFound):
    """There is no such report, or not where the caller may look."""

    title = "There is no such report"


class KnownReport(Conflict):
    """The very same file was imported before."""

    code = "known_report"
    title = "This report was imported before"


async def import_report(
    session: AsyncSession, principal: Principal, wanted: ReportIn
) -> ReconciliationDetail:
    """Compare a gateway's report of a day with the books and keep every difference.

    Raises Invalid where columns are missing; a line that cannot be read is a difference.
    """
    identity.authorize(principal, WRITE, wanted.region)
    lines, faults, missing = read_report(wanted.content, EXPONENTS)
    if missing:
        detail = f"The report has no column {', '.join(missing)}."
        raise Invalid(detail, errors=[FieldError("/content", "missing_column", detail)])
    digest = hashlib.sha256(wanted.content.encode()).hexdigest()
    if await repository.by_digest(session, wanted.gateway, digest) is not None:
        raise KnownReport
    since, until = await _day(session, wanted)
    refs = [line.ref for line in lines]
    scope = (wanted.gateway, wanted.region, refs, since, until)
    payments = await repository.payments_of_report(session, *scope)
    seen = {p.gateway_ref: p for p in payments if covers(wanted.region, p.region)}
    refunds = await repository.refunds_of_report(session, *scope)
    ours = [
        _payment(
            payment,
            expected=_inside(wanted.region, payment.region, payment.captured_at, since, until),
        )
        for payment in payments
        if covers(wanted.region, payment.region)
    ]
    ours += [
        Ours(
            refund.gateway_ref or "",
            "refund",
            refund.amount,
            refund.currency,
            settled=refund.state == RefundState.SUCCEEDED,
            expected=_inside(wanted.region, refund.region, refund.finished_at, since, until),
        )
        for refund in refunds
        if covers(wanted.region, refund.region)
    ]
    matched, found = compare(lines, ours)
    row = ReconciliationRow(
        id=uuid7(),
        gateway=wanted.gateway,
        region=wanted.region,
        day=wanted.day,
        name=wanted.name,
        digest=digest,
        lines=len(lines) + len(faults),
        matched=matched,
        totals=totals(lines, ours),
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=clock.now(),
    )
    rows = [_difference(row.id, each, seen) for each in (*faults, *found)]
    await repository.add(session, row, rows)
    await emit(
        session,
        Event(
            "reconciliation.compared",
            str(row.id),
            principal.id,
            {"gateway": row.gateway, "day": row.day.isoformat(), "differences": len(rows)},
            row.region,
        ),
    )
    await identity.record(
        session,
        principal,
        "reconciliation.imported",
        f"reconciliation:{row.id}",
        region=row.region,
        after={"name": row.name, "lines": row.lines, "differences": len(rows)},
    )
    return _detail(row, rows)


async def _day(session: AsyncSession, wanted: ReportIn) -> tuple[datetime, datetime]:
    """The report's day from midnight to midnight where the region's clocks are."""
    directory = await regions.directory(session, SYSTEM)
    region = directory.get(wanted.region)
    zone = ZoneInfo((region and region.time_zone) or "UTC")
    since = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=zone)
    return since, since + timedelta(days=1)


def _inside(scope: str, region: str, at: datetime | None, since: datetime, until: datetime) -> bool:
    return covers(scope, region) and at is not None and since <= at < until


def _payment(payment: PaymentRow, *, expected: bool) -> Ours:
    return Ours(
        payment.gateway_ref or "",
        "payment",
        payment.captured,
        payment.currency,
        settled=payment.state == State.CAPTURED,
        expected=expected,
    )


def _difference(
    report_id: UUID, found: Difference, seen: dict[str | None, PaymentRow]
) -> DifferenceRow:
    payment = seen.get(found.ref)
    return DifferenceRow(
        id=uuid7(),
        reconciliation_id=report_id,
        kind=found.kind,
        line=found.line,
        gateway_ref=found.ref.replace("\0", "")[:200],
        payment_id=payment.id if payment else None,
        order_number=payment.order_number if payment else None,
        theirs=found.theirs,
        ours=found.ours,
        currency=found.currency,
        detail=found.detail.replace("\0", ""),
    )


async def list_reconciliations(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ReconciliationPage:
    """Reports of the caller's regions, newest first."""
    identity.authorize(principal, READ)
    rows = await repository.reports(
        session,
        identity.scopes(principal, READ),
        region=region,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    page = rows[:limit]
    counted = {
        row.id: (row.all, row.open)
        for row in await repository.counts(session, [row.id for row in page])
    }
    items = [_out(row, *counted.get(row.id, (0, 0))) for row in page]
    more = encode(page[-1].id) if len(rows) > limit else None
    return ReconciliationPage(items=items, next_cursor=more)


async def get_reconciliation(
    session: AsyncSession, principal: Principal, reconciliation_id: UUID
) -> ReconciliationDetail:
    """One report with every difference."""
    row = await _seen(session, principal, reconciliation_id)
    return _detail(row, await repository.differences(session, row.id))


async def _seen(
    session: AsyncSession, principal: Principal, reconciliation_id: UUID
) -> ReconciliationRow:
    identity.authorize(principal, READ)
    row = await repository.report(session, reconciliation_id)
    if row is None or not identity.may(principal, READ, row.region):
        raise NoSuchReport
    return row


async def settle_difference(
    session: AsyncSession, principal: Principal, difference_id: UUID, wanted: SettleDifferenceIn
) -> DifferenceOut:
    """Write down what was found out about a difference, once."""
    identity.authorize(principal, WRITE)
    row = await repository.difference_for_update(session, difference_id)
    if row is None:
        raise NoSuchReport
    report = await _seen(session, principal, row.reconciliation_id)
    identity.authorize(principal, WRITE, report.region)
    if row.settled_at is not None:
        raise Conflict("The difference was settled already.")
    row.settled_by, row.settled_note, row.settled_at = principal.id, wanted.note, clock.now()
    await identity.record(
        session,
        principal,
        "reconciliation.settled",
        f"difference:{row.id}",
        region=report.region,
        reason=wanted.note,
    )
    return _difference_out(row)


def _out(row: ReconciliationRow, differences: int, open_: int) -> ReconciliationOut:
    return ReconciliationOut(**row.model_dump(), differences=differences, open=open_)


def _detail(row: ReconciliationRow, differences: Sequence[DifferenceRow]) -> ReconciliationDetail:
    open_ = sum(each.settled_at is None for each in differences)
    return ReconciliationDetail(
        **_out(row, len(differences), open_).model_dump(),
        items=[_difference_out(each) for each in differences],
    )


def _difference_out(row: DifferenceRow) -> DifferenceOut:
    return DifferenceOut(**row.model_dump(exclude={"order_number"}), order=row.order_number)
