"""The verbs on cash on delivery: the board, hand-overs, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.payments import cod_repository as repository
from backend.payments import ledger_repository, views
from backend.payments.accounts import (
    cod_difference,
    cod_driver,
    cod_hub,
    cod_merchant,
    cod_remitted,
)
from backend.payments.booking import Insufficient, book
from backend.payments.cod_cash import tell_cod
from backend.payments.ledger_rules import Account, Item, post
from backend.payments.models import CodRow, RemittanceRow
from backend.payments.reach import Reach, reach, refuse_marketplaces
from backend.payments.schemas import (
    CodBoard,
    CodDriverRow,
    CodFilter,
    CodHubRow,
    CodMerchantRow,
    CodOrderPage,
    Money,
    RemittanceIn,
    RemittanceOut,
    RemittancePage,
)
from backend.platform import clock
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import Conflict, FieldError, Invalid
from backend.platform.ids import uuid7
from backend.platform.scopes import parent
from backend.regions import service as regions

READ = "cod:read"
WRITE = "cod:write"


class NothingToHandOver(Conflict):
    """No order's cash is where it would be handed over."""

    code = "nothing_to_hand_over"
    title = "There is no cash to hand over"


async def cod_board(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> CodBoard:
    """Where the cash of the caller's regions is: by driver and shift, hub, merchant and stage.

    Bags and tills hold the cash of many: a marketplace is told of none.
    """
    identity.authorize(principal, READ)
    seen = reach(principal, READ)
    merchants = await repository.by_merchant(session, seen, region)
    stages: dict[str, list[Money]] = {}
    counts: dict[str, int] = {}
    for row in await repository.by_stage(session, seen, region):
        money = Money(minor=int(row.amount), currency=row.currency)
        stages.setdefault(row.state, []).append(money)
        counts[row.state] = counts.get(row.state, 0) + row.orders
    return CodBoard(
        drivers=await _drivers(session, seen, region) if seen.merchant is None else [],
        hubs=await _hubs(session, seen, region) if seen.merchant is None else [],
        merchants=[
            CodMerchantRow(
                merchant=row.merchant,
                region=row.region,
                currency=row.currency,
                orders=row.orders,
                due=int(row.due),
            )
            for row in merchants
        ],
        stages=stages,
        counts=counts,
    )


async def _drivers(session: AsyncSession, seen: Reach, region: str | None) -> list[CodDriverRow]:
    rows = await repository.by_driver(session, seen, region)
    received = await repository.handed_in(session, [row.driver_id for row in rows])
    bags = [cod_driver(row.driver_id, row.region, row.currency).id for row in rows]
    in_hand = await ledger_repository.balances(session, bags)
    found = []
    for row, bag in zip(rows, bags, strict=True):
        handed = received.get((row.driver_id, row.shift, row.currency), 0)
        found.append(
            CodDriverRow(
                driver_id=row.driver_id,
                region=row.region,
                shift=row.shift,
                currency=row.currency,
                orders=row.orders,
                expected=int(row.expected),
                collected=int(row.collected),
                received=handed,
                difference=None if row.open else handed - int(row.collected),
                handed_in=not row.open,
                in_hand=in_hand.get(bag, (0, 0))[0],
                late=bool(row.late),
                oldest=row.oldest,
            )
        )
    return found


async def _hubs(session: AsyncSession, seen: Reach, region: str | None) -> list[CodHubRow]:
    rows = await repository.by_hub(session, seen, region)
    tills = [cod_hub(row.hub, row.currency).id for row in rows]
    held = await ledger_repository.balances(session, tills)
    return [
        CodHubRow(
            hub=row.hub,
            currency=row.currency,
            orders=row.orders,
            expected=int(row.expected),
            in_till=held.get(till, (0, 0))[0],
            oldest=row.oldest,
        )
        for row, till in zip(rows, tills, strict=True)
    ]


async def list_cod_orders(
    session: AsyncSession,
    principal: Principal,
    wanted: CodFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> CodOrderPage:
    """Orders with cash in the caller's regions, newest first."""
    identity.authorize(principal, READ)
    rows = await repository.orders(
        session,
        reach(principal, READ),
        wanted,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    page = rows[:limit]
    more = encode(page[-1].payment_id) if len(rows) > limit else None
    return CodOrderPage(items=[views.cod_out(row) for row in page], next_cursor=more)


async def list_remittances(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> RemittancePage:
    """Hand-overs in the caller's regions, newest first."""
    identity.authorize(principal, READ)
    rows = await repository.remittances(
        session,
        reach(principal, READ),
        region=region,
        kind=kind,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    items = [_out(row) for row in rows[:limit]]
    more = encode(items[-1].id) if len(rows) > limit else None
    return RemittancePage(items=items, next_cursor=more)


async def record_remittance(
    session: AsyncSession, principal: Principal, wanted: RemittanceIn
) -> RemittanceOut:
    """Cash changes hands; the orders it came from move on with it.

    A driver's shift, or a hub's till, is handed over whole: what is missing stays with the driver
    or in the till, what is too much is booked as a difference.
    """
    identity.authorize(principal, WRITE)
    refuse_marketplaces(principal)
    hand_over = {"hub": _at_hub, "bank": _to_bank, "merchant": _to_merchant}[wanted.kind]
    row, orders, items = await hand_over(session, principal, wanted)
    await repository.add_remittance(session, row)
    await book(session, items)
    kind = {
        "hub": "cod.received_at_hub",
        "bank": "cod.remitted",
        "merchant": "cod.paid_to_merchant",
    }
    for order in orders:
        await tell_cod(session, order, kind[wanted.kind], principal.id, remittance_id=str(row.id))
    await identity.record(
        session,
        principal,
        "cod.handed_over",
        f"remittance:{row.id}",
        region=row.region,
        after={
            "kind": row.kind, "orders": row.orders, "expected": row.expected,
            "received": row.received, "currency": row.currency,
        },
        reason=row.note,
    )  # fmt: skip
    return _out(row)


Handed = tuple[RemittanceRow, list[CodRow], list[Item]]


async def _at_hub(session: AsyncSession, principal: Principal, wanted: RemittanceIn) -> Handed:
    """A driver hands in a shift."""
    assert wanted.driver_id is not None
    assert wanted.shift is not None
    assert wanted.received is not None
    city = await _city(session, principal, wanted.hub)
    currency, received = wanted.received.currency, wanted.received.minor
    orders = await repository.carried(session, wanted.driver_id, wanted.shift, currency)
    orders = [order for order in orders if order.region == city]
    if not orders:
        raise NothingToHandOver
    row = _row(principal, wanted, city, orders, received, currency)
    row.driver_id, row.shift, row.hub = wanted.driver_id, wanted.shift, wanted.hub
    now = clock.now()
    for order in orders:
        order.state, order.hub, order.received_at = "at_hub", wanted.hub, now
    bag = cod_driver(wanted.driver_id, city, currency)
    till = cod_hub(wanted.hub or "", currency)
    # A driver may also hand in what an earlier shift owed; only beyond that is it too much.
    in_hand = (await ledger_repository.balances(session, [bag.id])).get(bag.id, (0, 0))[0]
    taken = min(received, in_hand)
    items = _move(row, "received", bag, till, taken)
    items += _move(row, "over", cod_difference(city, currency), till, received - taken)
    return row, orders, items


async def _to_bank(session: AsyncSession, principal: Principal, wanted: RemittanceIn) -> Handed:
    """A hub brings its till to the bank."""
    assert wanted.received is not None
    city = await _city(session, principal, wanted.hub)
    currency, received = wanted.received.currency, wanted.received.minor
    orders = await repository.in_till(session, wanted.hub or "", currency)
    if not orders:
        raise NothingToHandOver
    till = cod_hub(wanted.hub or "", currency)
    held = (await ledger_repository.balances(session, [till.id])).get(till.id, (0, 0))[0]
    if received > held:
        detail = "The till does not hold that much."
        raise Insufficient(detail, errors=[FieldError("/received/minor", "insufficient", detail)])
    row = _row(principal, wanted, city, orders, received, currency)
    row.hub = wanted.hub
    now = clock.now()
    for order in orders:
        order.state, order.remitted_at = "remitted", now
    return row, orders, _move(row, "remitted", till, cod_remitted(city, currency), received)


async def _to_merchant(session: AsyncSession, principal: Principal, wanted: RemittanceIn) -> Handed:
    """A merchant is paid what drivers collected for them and the bank holds."""
    assert wanted.merchant is not None
    assert wanted.region is not None
    assert wanted.currency is not None
    identity.authorize(principal, WRITE, wanted.region)
    orders = await repository.payable(session, wanted.merchant, wanted.region, wanted.currency)
    if not orders:
        raise NothingToHandOver
    due = sum(order.collected or 0 for order in orders)
    row = _row(principal, wanted, wanted.region, orders, due, wanted.currency)
    row.merchant = wanted.merchant
    now = clock.now()
    for order in orders:
        order.state, order.paid_at = "paid", now
    source = cod_remitted(wanted.region, wanted.currency)
    return row, orders, _move(row, "paid", source, cod_merchant(orders[0]), due)


def _move(
    row: RemittanceRow, what: str, debit: Account, credit: Account, amount: int
) -> list[Item]:
    if not amount:
        return []
    key = uuid5(row.id, what)
    return [post(key, debit, credit, amount, f"cod_{what}", reference=str(row.id))]


async def _city(session: AsyncSession, principal: Principal, hub: str | None) -> str:
    """The city of a hub in which the caller may hand cash over; raises Invalid naming the hub."""
    assert hub is not None
    found = (await regions.directory(session, SYSTEM)).get(hub)
    if found is None or found.kind != "hub" or not identity.may(principal, READ, hub):
        fault = FieldError("/hub", "unknown", f"{hub} is not a hub's code.")
        raise Invalid(fault.detail, errors=[fault])
    identity.authorize(principal, WRITE, hub)
    return parent(hub) or hub


def _row(
    principal: Principal,
    wanted: RemittanceIn,
    region: str,
    orders: Sequence[CodRow],
    received: int,
    currency: str,
) -> RemittanceRow:
    return RemittanceRow(
        id=uuid7(),
        kind=wanted.kind,
        region=region,
        orders=len(orders),
        expected=sum(order.collected or 0 for order in orders),
        received=received,
        currency=currency,
        reference=wanted.reference,
        note=wanted.note,
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=clock.now(),
    )


def _out(row: RemittanceRow) -> RemittanceOut:
    values = row.model_dump(exclude={"expected", "received", "currency"})
    return RemittanceOut(
        **values,
        expected=Money(minor=row.expected, currency=row.currency),
        received=Money(minor=row.received, currency=row.currency),
        difference=row.received - row.expected,
    )
