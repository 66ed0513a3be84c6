"""Orders, gateways and the workers' turns for the tests of payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from backend.identity.schemas import SYSTEM
from backend.payments import actions, service, webhooks
from backend.payments.consumers import HANDLERS
from backend.payments.gateways.protocol import Gateway
from backend.payments.gateways.registry import Gateways
from backend.payments.gateways.sandbox import Sandbox
from backend.payments.models import AttemptRow, PaymentRow
from backend.payments.schemas import PaymentDetail, RetryIn, WalletIn
from backend.platform import clock
from backend.platform.consumers import Received
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.regions.service import seed

MERCHANT = "service:marketplace-th"


class World:
    """A market with orders, a sandbox gateway, and somebody who runs the worker's turns."""

    def __init__(self, resources: Resources, gateway: Gateway | None = None) -> None:
        self.resources = resources
        self.database = resources.database
        self.sandbox = Sandbox(resources.database)
        self.gateways = Gateways({"sandbox": gateway or self.sandbox})

    async def event(self, kind: str, order_id: UUID, **data: Any) -> None:
        """An event of an order reaches payments."""
        body = {"order_id": str(order_id), "number": number_of(order_id), **data}
        received = Received(
            id=uuid7(), type=kind, key=str(order_id), actor="system", region="TH-10",
            at=clock.now(), device_at=None, trace_id=None, data=body,
        )  # fmt: skip
        async with self.database.unit_of_work() as session:
            await HANDLERS[kind](session, received)

    async def order(
        self, minor: int = 50_000, *, order_id: UUID | None = None, terms: str = "prepaid",
        method: str | None = "sandbox:ok", wallet_id: UUID | None = None, currency: str = "THB",
    ) -> UUID:  # fmt: skip
        """An order is created; its id."""
        order_id = order_id or uuid7()
        await self.event(
            "order.created", order_id, reference="MKT-1", region="TH-10", terms=terms,
            amount={"minor": minor, "currency": currency}, method=method, gateway="sandbox",
            wallet_id=str(wallet_id) if wallet_id else None, merchant=MERCHANT,
        )  # fmt: skip
        return order_id

    async def deliver(
        self, order_id: UUID, *, driver: UUID | None = None, collected: int | None = None
    ) -> None:
        """The order is delivered."""
        cash = None if collected is None else {"minor": collected, "currency": "THB"}
        await self.event(
            "order.delivered", order_id, driver_id=str(driver or uuid7()), collected=cash
        )

    async def settle(self, gateways: Gateways | None = None) -> None:
        """Run the worker's turns until nothing is left to do, waiting for no clock."""
        gateways = gateways or self.gateways
        for _ in range(60):
            await self.hurry()
            done = await actions.run_due(self.database, gateways)
            done += await webhooks.deliver_sandbox(self.database)
            done += await webhooks.work_in(self.database, gateways)
            if not done:
                return
        raise AssertionError("the workers found no end")

    async def hurry(self) -> None:
        """Whatever waits for a time is due now."""
        async with self.database.unit_of_work() as session:
            for statement in (
                "UPDATE payments_attempt SET due_at = now() WHERE state IN ('queued', 'sent')",
                "UPDATE payments_webhook SET due_at = now() WHERE state = 'waiting'",
            ):
                await session.execute(text(statement))

    async def retry(self, order_id: UUID, method: str | None = None) -> None:
        """Somebody tries the order's payment again."""
        found = await self.payment(order_id)
        async with self.database.unit_of_work() as session:
            await service.retry_payment(session, SYSTEM, found.id, RetryIn(method=method))

    async def let_time_pass_at_the_gateway(self) -> None:
        """Whatever the sandbox is going to do later, it does now."""
        async with self.database.unit_of_work() as session:
            for statement in (
                "UPDATE payments_sandbox_payment SET turns_at = now()",
                "UPDATE payments_sandbox_notice SET due_at = now()",
            ):
                await session.execute(text(statement))

    async def ask_now(self, gateways: Gateways | None = None) -> None:
        """Gateways are asked about every payment that is to be asked about some time."""
        async with self.database.unit_of_work() as session:
            await session.execute(
                text("UPDATE payments_payment SET ask_at = now() WHERE ask_at IS NOT NULL")
            )
        await actions.poll(self.database, gateways or self.gateways)

    async def payment(self, order_id: UUID) -> PaymentDetail:
        """The order's payment with all that belongs to it."""
        async with self.database.unit_of_work() as session:
            payment_id = await session.scalar(
                select(PaymentRow.id).where(col(PaymentRow.order_id) == order_id)  # type: ignore[call-overload]
            )
            return await service.get_payment(session, SYSTEM, payment_id)

    async def attempts(self, order_id: UUID) -> list[AttemptRow]:
        """What was asked of the gateway for an order, oldest first."""
        async with self.database.unit_of_work() as session:
            rows = await session.scalars(
                select(AttemptRow)
                .join(PaymentRow, col(PaymentRow.id) == col(AttemptRow.payment_id))
                .where(col(PaymentRow.order_id) == order_id)
                .order_by(col(AttemptRow.id))
            )
            return list(rows)

    async def state(self, order_id: UUID) -> str:
        """Where the order's payment is."""
        return (await self.payment(order_id)).state

    async def events(self) -> list[dict[str, Any]]:
        """The events that wait to be published, oldest first, with their type and data."""
        import orjson

        async with self.database.unit_of_work() as session:
            values = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
            return [orjson.loads(value) for value in values]

    async def wallet(self, minor: int = 0, holder: str = "customer:ann") -> UUID:
        """A wallet of Bangkok with money in it."""
        from backend.payments.accounts import wallet_account

        from .books import fund

        async with self.database.unit_of_work() as session:
            await seed(session, SYSTEM)
            wanted = WalletIn(holder=holder, name="Ann", region="TH-10")
            opened = await service.open_wallet(session, SYSTEM, wanted)
        if minor:
            await fund(self.database, wallet_account(opened.id, "TH-10", "THB"), minor)
        return opened.id

    async def balance(self, wallet_id: UUID) -> tuple[int, int]:
        """What a wallet holds, and how much of it is held back."""
        async with self.database.unit_of_work() as session:
            found = await service.get_wallet(session, SYSTEM, wallet_id)
        return found.balance.minor, found.held.minor


async def seeded_world(resources: Resources) -> World:
    """A market in which every region is known."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    return World(resources)


def number_of(order_id: UUID) -> str:
    """The public number of a test's order."""
    return f"WP-{order_id.hex[-10:].upper()}"
