"""Orders from a table file: judged cell by cell, shown before, and taken in."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.city_tree import city_tree
from backend.dispatch.import_table import COLUMNS, Table, body_of, column_of, read_table, template
from backend.dispatch.intake import Verdict, field_errors, judge, take_in
from backend.dispatch.order_schemas import (
    MOST_IN_BATCH,
    ImportPreview,
    ImportResult,
    RowFault,
)
from backend.dispatch.schemas import OrderIn
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import DomainError, FieldError, Invalid
from backend.regions.service import Directory

_SHOWN_FAULTS = 500
_SHOWN_ROWS = 20
_REFUSED_WITH = 100


@dataclass(slots=True)
class _Judged:
    """A table's orders by line, those that are there already, and what is wrong."""

    table: Table
    orders: dict[int, OrderIn] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    faults: list[RowFault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(self.table.rows) + len(self.table.faults)

    @property
    def wrong(self) -> set[int]:
        """The lines with a fault."""
        return {fault.line for fault in self.faults}


def import_template(principal: Principal) -> str:
    """A table with every column and one row as an example."""
    identity.authorize(principal, "orders:create")
    return template()


async def preview_import(
    session: AsyncSession, principal: Principal, content: bytes
) -> ImportPreview:
    """What an import of the file would do, with every fault by line and column; makes nothing.

    Raises Invalid where the file is no table of orders at all.
    """
    judged = await _judge(session, principal, content)
    good = [line for line in judged.orders if line not in judged.repeated]
    return ImportPreview(
        rows=judged.rows,
        good=len(good),
        duplicates=len(judged.repeated),
        columns=judged.table.columns,
        unknown_columns=[name for name in judged.table.columns if name not in COLUMNS],
        faults=judged.faults[:_SHOWN_FAULTS],
        faults_left_off=max(0, len(judged.faults) - _SHOWN_FAULTS),
        sample=[_shown(line, judged.orders[line]) for line in good[:_SHOWN_ROWS]],
    )


async def import_orders(
    session: AsyncSession, principal: Principal, content: bytes, *, skip_wrong: bool = False
) -> ImportResult:
    """Take in the file's orders; imported twice it makes them once.

    Raises Invalid with the first faults where a row is wrong, unless wrong rows are skipped.
    """
    judged = await _judge(session, principal, content)
    if judged.faults and not skip_wrong:
        errors = [
            FieldError(f"/{fault.line}/{fault.column or ''}", fault.code, fault.detail)
            for fault in judged.faults[:_REFUSED_WITH]
        ]
        detail = f"{len(judged.wrong)} of {judged.rows} rows are wrong; nothing was imported."
        raise Invalid(detail, errors=errors)
    orders = list(judged.orders.items())
    numbers: list[str] = []
    duplicates = 0
    faults = list(judged.faults)
    for start in range(0, len(orders), MOST_IN_BATCH):
        part = orders[start : start + MOST_IN_BATCH]
        verdicts = await take_in(session, principal, [order for _, order in part])
        for (line, _), (verdict, before) in zip(part, verdicts, strict=True):
            if isinstance(verdict, DomainError):
                faults += _faults_of(line, verdict)
            elif before:
                duplicates += 1
            else:
                numbers.append(verdict.number)
    result = ImportResult(
        created=len(numbers),
        duplicates=duplicates,
        refused=len({fault.line for fault in faults}),
        numbers=numbers,
        faults=faults[:_SHOWN_FAULTS],
    )
    told = result.model_dump(include={"created", "duplicates", "refused"})
    await identity.record(session, principal, "orders.imported", "orders", after=told)
    return result


async def _judge(session: AsyncSession, principal: Principal, content: bytes) -> _Judged:
    identity.authorize(principal, "orders:create")
    judged = _Judged(read_table(content))
    judged.faults += judged.table.faults
    directory = await city_tree(session)
    _read_rows(judged, directory)
    lines = {order.reference: line for line, order in judged.orders.items()}
    for reference, verdict in (await _verdicts(session, principal, judged, directory)).items():
        line = lines[reference]
        if isinstance(verdict, DomainError):
            judged.faults += _faults_of(line, verdict)
            del judged.orders[line]
        else:
            judged.repeated.add(line)
    judged.faults.sort(key=lambda fault: fault.line)
    return judged


async def _verdicts(
    session: AsyncSession, principal: Principal, judged: _Judged, directory: Directory
) -> dict[str, Verdict]:
    return await judge(session, principal, list(judged.orders.values()), directory, clock.now())


def _read_rows(judged: _Judged, directory: Directory) -> None:
    first_seen: dict[str, int] = {}
    for line, cells in judged.table.rows:
        body, wrong = body_of({name: cells.get(name, "") for name in COLUMNS}, directory)
        faults = [
            RowFault(line=line, column=cell.column, code=cell.code, detail=cell.detail)
            for cell in wrong
        ]
        told = {fault.column for fault in faults}
        try:
            order = OrderIn.model_validate(body)
        except ValidationError as error:
            faults += [
                fault
                for fault in _faults_of(line, Invalid(errors=field_errors(error)))
                if fault.column not in told
            ]
        else:
            first = first_seen.setdefault(order.reference, line)
            if first != line:
                detail = f"Line {first} has the reference {order.reference} too."
                faults.append(
                    RowFault(line=line, column="reference", code="repeated", detail=detail)
                )
            elif not faults:
                judged.orders[line] = order
        judged.faults += faults


def _faults_of(line: int, refusal: DomainError) -> list[RowFault]:
    if not refusal.errors:
        return [RowFault(line=line, column="region", code=refusal.code, detail=refusal.detail)]
    return [
        RowFault(
            line=line,
            column=column_of(error.pointer, error.code),
            code=error.code,
            detail=error.detail,
        )
        for error in refusal.errors
    ]


def _shown(line: int, order: OrderIn) -> dict[str, object]:
    return {
        "line": line,
        "reference": order.reference,
        "region": order.region,
        "service": order.service,
        "drop": order.drop.address,
        "parcels": len(order.parcels),
        "terms": order.payment.terms,
        "amount": order.payment.amount.model_dump(),
    }
