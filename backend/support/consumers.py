"""What support does when something goes wrong with an order, and when it comes right again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM
from backend.platform.consumers import Handler, Received
from backend.support import linking, repository
from backend.support.opening import open_automatically
from backend.support.replying import step_to
from backend.support.rules import Kind, Priority, State

GROUP = "support"


async def _order_of(session: AsyncSession, event: Received) -> dispatch.CustomersOrder | None:
    order_id = event.data.get("order_id")
    return await dispatch.customers_order(session, UUID(order_id)) if order_id else None


async def _payment_failed(session: AsyncSession, event: Received) -> None:
    order = await _order_of(session, event)
    if order is None:
        return
    reason = str(event.data.get("reason") or "The payment failed.")
    await open_automatically(
        session, order, Kind.PAYMENT, Priority.HIGH, "Payment failed", reason,
        at=event.at, key=f"event:{event.id}",
    )  # fmt: skip


async def _code_spent(session: AsyncSession, event: Received) -> None:
    order = await _order_of(session, event)
    if order is None:
        return
    why = f"Every attempt at the {event.data['step']} code was used up by wrong ones."
    await open_automatically(
        session, order, Kind.OTP, Priority.HIGH, "The code was wrong too often", why,
        at=event.at, key=f"event:{event.id}",
    )  # fmt: skip


async def _incident_resolved(session: AsyncSession, event: Received) -> None:
    await repository.await_turn(session)
    await linking.make_ready(session, UUID(event.data["incident_id"]), event.data["number"])


async def _incident_reopened(session: AsyncSession, event: Received) -> None:
    await repository.await_turn(session)
    await linking.make_unready(session, UUID(event.data["incident_id"]))


async def _incident_merged(session: AsyncSession, event: Received) -> None:
    await repository.await_turn(session)
    await linking.follow_merge(session, UUID(event.data["incident_id"]))


async def _paid(session: AsyncSession, event: Received) -> None:
    await _come_right(session, event, (Kind.PAYMENT,), "The payment went through after all.")


async def _handed_over(session: AsyncSession, event: Received) -> None:
    await _come_right(session, event, (Kind.LATE, Kind.OTP), "The order was handed over.")


async def _given_up(session: AsyncSession, event: Received) -> None:
    kinds = (Kind.LATE, Kind.OTP, Kind.PAYMENT)
    await _come_right(session, event, kinds, "The order was given up.")


async def _come_right(
    session: AsyncSession, event: Received, kinds: tuple[Kind, ...], words: str
) -> None:
    """Solve what opened by itself for the order and came right before anybody said a word."""
    order_id = event.data.get("order_id")
    # Nearly every order comes to its end without trouble, and nobody is to wait for those.
    if order_id is None or not await repository.any_unsolved(session, UUID(order_id)):
        return
    await repository.await_turn(session)
    for kind in kinds:
        row = await repository.unsolved_of_order(session, UUID(order_id), kind)
        if row is None or row.origin != "system" or row.state != State.OPEN:
            continue
        if not await repository.was_spoken_in(session, row.id):
            await step_to(session, SYSTEM, row, State.SOLVED, note=words)


HANDLERS: dict[str, Handler] = {
    "payment.failed": _payment_failed,
    "payment.authorised": _paid,
    "payment.captured": _paid,
    "otp.spent": _code_spent,
    "order.delivered": _handed_over,
    "order.cancelled": _given_up,
    "order.returned": _given_up,
    "incident.resolved": _incident_resolved,
    "incident.reopened": _incident_reopened,
    "incident.merged": _incident_merged,
}
