"""A million orders with names, phones and numbers as they are in life, to measure a search on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.numbers import new_number
from backend.platform.db import Database
from backend.simulation.places import profiles
from backend.simulation.trade import trades

ORDERS = 1_000_000
_AT_ONCE = 50_000
_CITIES = """
CREATE TABLE bench_city (
  n int PRIMARY KEY, code text, hubs text[], phone text, digits int, first text[], last text[],
  currency text);
CREATE TABLE bench_number (n bigint PRIMARY KEY, number text)
"""
_HUBS = "SELECT code FROM regions_region WHERE parent = :city ORDER BY code"

# Each of a row's choices follows from its number, so that every run has the same orders.
_FILL = """
INSERT INTO dispatch_order (
  id, number, reference, merchant, region, hub, service, state, version,
  pickup_name, pickup_phone, pickup_address, pickup_lat, pickup_lon,
  drop_name, drop_phone, drop_address, drop_lat, drop_lon,
  weight_g, volume_cm3, skills, terms, amount_minor, currency, promised_at, tags, flagged,
  tracking_token, sent, created_at, updated_at, ended_at)
SELECT gen_random_uuid(), b.number, pick.prefix || '-' || (7000000 + b.n),
  pick.merchant, c.code, c.hubs[1 + pick.hub % cardinality(c.hubs)],
  CASE WHEN pick.a % 3 = 0 THEN 'express' ELSE 'standard' END, pick.state, 8,
  'Shop ' || pick.shop, c.phone || lpad(pick.shop::text, c.digits, '2'),
  'Market street ' || pick.shop, 13.7, 100.5,
  CASE WHEN pick.a % 2 = 0 THEN pick.first || ' ' || pick.last
       ELSE pick.first || ' ' || pick.middle || ' ' || pick.last END,
  c.phone || lpad(right(pick.phone::text, c.digits), c.digits, '0'),
  'House ' || pick.shop, 13.72, 100.52,
  900, 2000, '{}', CASE WHEN pick.a % 5 < 2 THEN 'cod' ELSE 'prepaid' END, 12500, c.currency,
  pick.made + interval '4 hours', CASE WHEN pick.a % 97 = 0 THEN ARRAY['fragile'] ELSE '{}' END,
  CASE WHEN pick.a % 499 = 0 THEN 'Nobody at the door' END,
  substr(md5(b.n::text) || md5('x' || b.n), 1, 43), '{}', pick.made, pick.made,
  CASE WHEN pick.state IN ('delivered', 'cancelled', 'returned')
       THEN pick.made + (CASE WHEN pick.a % 13 = 0 THEN 5 ELSE 3 END) * interval '1 hour' END
FROM bench_number b
JOIN bench_city c ON c.n = abs(hashint8extended(b.n, 1)) % (SELECT count(*) FROM bench_city)
CROSS JOIN LATERAL (SELECT
  abs(hashint8extended(b.n, 2)) AS a,
  (ARRAY['KB', 'LM', 'TR'])[1 + abs(hashint8extended(b.n, 3)) % 3] AS prefix,
  (ARRAY['service:kaveri-bazaar', 'service:lotus-mart', 'service:tokoraya'])
    [1 + abs(hashint8extended(b.n, 3)) % 3] AS merchant,
  abs(hashint8extended(b.n, 4)) AS hub,
  abs(hashint8extended(b.n, 5)) % 400 AS shop,
  c.first[1 + abs(hashint8extended(b.n, 6)) % cardinality(c.first)] AS first,
  c.last[1 + abs(hashint8extended(b.n, 7)) % cardinality(c.last)] AS last,
  c.last[1 + abs(hashint8extended(b.n, 8)) % cardinality(c.last)] AS middle,
  abs(hashint8extended(b.n, 9)) AS phone,
  CASE WHEN b.n % 50 = 0 THEN
      (ARRAY['ready', 'assigned', 'in_transit', 'arrived'])[1 + abs(hashint8extended(b.n, 10)) % 4]
    WHEN b.n % 33 = 0 THEN 'cancelled' WHEN b.n % 60 = 0 THEN 'returned' ELSE 'delivered'
  END AS state,
  now() - (:orders - b.n) * interval '8 seconds' AS made) pick
WHERE b.n BETWEEN :first AND :last
"""
_PARCELS = """
INSERT INTO dispatch_parcel (order_id, barcode, weight_g, volume_cm3)
SELECT id, reference || '-1', 900, 2000 FROM dispatch_order
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid IN ('dispatch_order'::regclass, 'dispatch_parcel'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What people could say of one order."""

    number: str
    reference: str
    name: str
    phone: str
    barcode: str


async def fill(database: Database, orders: int = ORDERS) -> None:
    """Make the orders; indexes are put away for the time, for a row at a time is slow."""
    async with database.unit_of_work() as session:
        await _prepare(session, orders)
        put_away = list(await session.execute(text(_INDEXES)))
        for name, _ in put_away:
            await session.execute(text(f"DROP INDEX {name}"))
    for first in range(1, orders + 1, _AT_ONCE):
        values = {"first": first, "last": first + _AT_ONCE - 1, "orders": orders}
        async with database.unit_of_work() as session:
            await session.execute(text(_FILL), values)
    async with database.unit_of_work() as session:
        await session.execute(text(_PARCELS))
        for _, definition in put_away:
            await session.execute(text(definition))
    async with database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("DROP TABLE bench_city, bench_number"))
        await plain.execute(text("VACUUM ANALYZE"))


async def _prepare(session: AsyncSession, orders: int) -> None:
    for statement in _CITIES.split(";"):
        await session.execute(text(statement))
    for n, city in enumerate(sorted(profiles())):
        profile, trade = profiles()[city], trades()[city]
        await session.execute(
            text(
                "INSERT INTO bench_city VALUES (:n, :code, :hubs, :phone, :digits, :first,"
                " :last, :money)"
            ),
            {
                "n": n,
                "code": city,
                "hubs": list(await session.scalars(text(_HUBS), {"city": city})),
                "phone": trade["phone"].rstrip("#"),
                "digits": trade["phone"].count("#"),
                "first": profile["first"],
                "last": profile["last"],
                "money": trade["currency"],
            },
        )
    raw = await (await session.connection()).get_raw_connection()
    copy = raw.driver_connection.copy_records_to_table  # type: ignore[union-attr]
    await copy("bench_number", records=_numbers(orders), columns=["n", "number"])


def _numbers(orders: int) -> Iterator[tuple[int, str]]:
    return ((n, new_number()) for n in range(1, orders + 1))


async def samples(database: Database, count: int, cities: tuple[str, ...]) -> list[Sample]:
    """Orders out of the whole, of these cities."""
    query = text(
        "SELECT number, reference, drop_name, drop_phone, barcode FROM dispatch_order o"
        " JOIN dispatch_parcel p ON p.order_id = o.id WHERE region = ANY(:cities)"
        " ORDER BY md5(number) LIMIT :count"
    )
    async with database.unit_of_work() as session:
        found: Any = await session.execute(query, {"cities": list(cities), "count": count})
        return [Sample(*row) for row in found]
