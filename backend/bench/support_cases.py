"""Orders that went all the way with all that belongs to them, and tickets, a few of them open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderIn
from backend.flags import demo as flags
from backend.identity.schemas import SYSTEM
from backend.incidents import service as incidents
from backend.incidents.rules import Severity
from backend.incidents.schemas import AlertIn
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageIn
from backend.payments import actions, consumers, webhooks
from backend.payments.gateways.registry import Gateways
from backend.payments.gateways.sandbox import Sandbox
from backend.platform import clock
from backend.platform.consumers import Consumer
from backend.platform.outbox import relay_once
from backend.platform.resources import Resources
from backend.support import service
from backend.support.schemas import EscalationIn
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverIn

CITY = "TH-10"
ORDERS = 40
OPEN = 10_000
FIXES = 1_440
_DRIVERS = 5_000
_PAYMENTS = 200_000
_TICKETS_EVER = 200_000
_TURNS = 200
_WAY = (
    Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART,
    Action.ARRIVE, Action.DELIVER,
)  # fmt: skip
_ORDER = {
    "region": CITY,
    "pickup": {
        "name": "Siam Books", "phone": "+6621234567", "address": "991 Rama I Road",
        "lat": 13.7456, "lon": 100.5341,
    },
    "drop": {
        "name": "Malee Srisuk", "phone": "+66812345678", "address": "12 Sala Daeng Road",
        "lat": 13.7307, "lon": 100.5418,
    },
    "payment": {
        "terms": "prepaid", "amount": {"minor": 12_500, "currency": "THB"},
        "method": "sandbox:ok", "gateway": "sandbox",
    },
}  # fmt: skip

# Two hours on the road, a position every five seconds, some of it at rest.
_DRIVEN = """
INSERT INTO tracking_fix (driver_id, recorded_at, received_at, lat, lon, flags)
SELECT :driver, now() - n * interval '5 seconds', now() - n * interval '5 seconds',
  13.7456 + sin(n / 90.0) * 0.02 * (n / 100 % 2), 100.5341 + n * 0.00001 * (n / 100 % 2), 0
FROM generate_series(1, CAST(:fixes AS int)) AS n
"""
# The steps of an order, as if they had been taken over the last two hours.
_SPREAD = """
UPDATE dispatch_order_event e SET at = now() - (interval '110 minutes' - e.seq * interval '9 min')
WHERE order_id = ANY(:orders)
"""
_ROSTER = """
INSERT INTO tracking_driver
  (id, code, name, phone, plate, vehicle, region, on_shift, created_at, updated_at)
SELECT gen_random_uuid(), 'BENCH-' || n, o.drop_name, o.drop_phone,
  substr(o.region, 1, 2) || ' 0' || n % 10 || ' MX ' || lpad(n::text, 4, '0'), 'bike', o.region,
  true, now(), now()
FROM (SELECT drop_name, drop_phone, region, row_number() OVER () AS n
      FROM dispatch_order LIMIT :drivers) o
"""
_PAID = """
INSERT INTO payments_payment
  (id, purpose, order_id, order_number, region, terms, gateway, amount, captured, currency, state,
   gateway_ref, created_by, created_at, updated_at, round, refunded, reserved)
SELECT gen_random_uuid(), 'order', id, number, region, 'prepaid', 'stripe', amount_minor,
  amount_minor, currency, 'captured', 'pi_' || md5(number), 'system', created_at, created_at, 1,
  0, 0
FROM dispatch_order LIMIT :payments
"""
_TICKETS = """
INSERT INTO support_escalation
  (id, kind, priority, state, subject, region, origin, opened_by, opened_by_name, assignee,
   assignee_name, ready_to_answer, customer_waits, opened_at, last_at, first_response_due,
   resolution_due, due_at, warn_at, warned, stale, reopened, version, changed_by_name,
   changed_what, changed_at, solved_at)
SELECT gen_random_uuid(),
  (ARRAY['payment', 'late', 'otp', 'damaged', 'address', 'other'])[1 + n % 6],
  (ARRAY['urgent', 'high', 'normal', 'normal', 'low'])[1 + n % 5],
  CASE WHEN n > :open THEN 'closed' WHEN n % 4 = 0 THEN 'pending' ELSE 'open' END,
  'Ticket ' || n, (ARRAY['TH-10', 'IN-KA', 'VN-SG', 'ID-JK', 'SG-01'])[1 + n / 7 % 5], 'agent',
  'system', 'Waypost', CASE WHEN n % 3 > 0 THEN 'user:' || n % 40 END,
  CASE WHEN n % 3 > 0 THEN 'Agent ' || n % 40 END, false, n % 2 = 0,
  now() - n % 500 * interval '1 minute', now(), now() + (n % 600 - 200) * interval '1 minute',
  now() + (n % 900 - 100) * interval '1 minute', now() + (n % 600 - 200) * interval '1 minute',
  now() + (n % 600 - 260) * interval '1 minute', 0, false, 0, 1, 'Waypost', 'opened it', now(),
  CASE WHEN n > :open THEN now() END
FROM generate_series(1, CAST(:all AS int)) AS n
"""


async def fill(resources: Resources) -> list[str]:
    """Make all of it; answers the numbers of the orders that have a whole case."""
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_ROSTER), {"drivers": _DRIVERS})
        await session.execute(text(_PAID), {"payments": _PAYMENTS})
        await session.execute(text(_TICKETS), {"open": OPEN, "all": _TICKETS_EVER})
        await flags.seed(session, SYSTEM)
        for n in range(3):
            await incidents.raise_alert(session, _alert(n))
    driver = await _driver(resources)
    orders = [await _order(resources, driver, n) for n in range(ORDERS)]
    await _pay(resources)
    async with resources.database.unit_of_work() as session:
        for action in _WAY[-1:]:
            await _step(session, orders, driver, action)
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(_SPREAD), {"orders": orders})
    await _pay(resources)
    async with resources.database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))
        numbers = await connection.scalars(
            text("SELECT number FROM dispatch_order WHERE id = ANY(:ids)"), {"ids": orders}
        )
        return list(numbers)


def _alert(n: int) -> AlertIn:
    return AlertIn.model_validate(
        {
            "integration": "bench",
            "key": f"bench-{n}",
            "title": f"Bench trouble {n}",
            "severity": Severity.SEV3,
            "service": f"bench-{n}",
            "region": CITY,
            "started_at": clock.now() - timedelta(hours=1),
        }
    )


async def _driver(resources: Resources) -> UUID:
    """A driver who was on the road for two hours."""
    async with resources.database.unit_of_work() as session:
        await tracking.keep_partitions(session, clock.now(), 90)
        wanted = DriverIn(name="Somchai", vehicle="bike", region=CITY)
        driver = await tracking.create_driver(session, SYSTEM, wanted)
        await session.execute(text(_DRIVEN), {"driver": driver.id, "fixes": FIXES})
    return driver.id


async def _order(resources: Resources, driver: UUID, n: int) -> UUID:
    """An order on its way to the door, with a ticket and messages."""
    async with resources.database.unit_of_work() as session:
        parcels = [{"barcode": f"CASE-{n}", "weight_g": 900}]
        wanted = OrderIn.model_validate({**_ORDER, "reference": f"CASE-{n}", "parcels": parcels})
        order = await dispatch.create_order(session, SYSTEM, wanted)
        await _step(session, [order.id], driver, *_WAY[:-1])
        asked = {
            "order_number": order.number, "kind": "late", "subject": "Where is it",
            "text": "It was to be here by now.",
        }  # fmt: skip
        await service.open_escalation(session, SYSTEM, EscalationIn.model_validate(asked))
        for words in ("It is on its way.", "It comes in ten minutes.", "Thank you for waiting."):
            message = MessageIn(order_id=order.id, text=words)
            await notifications.queue_message(session, SYSTEM, message)
    return order.id


async def _step(session: Any, orders: Sequence[UUID], driver: UUID, *actions_: Action) -> None:
    for order_id in orders:
        for action in actions_:
            order = await dispatch.order_to_change(session, SYSTEM, "orders:write", order_id)
            await dispatch.move(session, SYSTEM, order, action, driver_id=driver)


async def _pay(resources: Resources) -> None:
    """Payments hear of what happened, and the sandbox does its part."""
    consumer = Consumer(resources, consumers.GROUP, consumers.HANDLERS)
    await consumer.prepare()
    while await relay_once(resources.database, resources.events):
        pass
    while await consumer.turn(wait_ms=1):
        pass
    gateways = Gateways({"sandbox": Sandbox(resources.database)})
    for _ in range(_TURNS):
        done = await actions.run_due(resources.database, gateways)
        done += await webhooks.deliver_sandbox(resources.database)
        done += await webhooks.work_in(resources.database, gateways)
        if not done:
            return
