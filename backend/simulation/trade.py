"""What marketplaces of a city sell and to whom: shops, recipients, parcels and prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from math import exp
from random import Random
from typing import Any

import orjson

from backend.simulation.places import City, person
from backend.simulation.streets import Point

_SELLERS_SPREAD_M = 1500.0
_NEAREST_DROP_M = 350.0
_FARTHEST_DROP_M = 6500.0
_USUAL_DROP_M = 1900.0
_SHORT_DROP_M = 600.0
_CORNER_M = 180.0
_WIDEST_SPREAD = 0.6
# Share of the usual rate by local hour; at night there is less, in the evening most.
RHYTHM = (
    (0.55,) * 6
    + (0.6, 0.75, 0.9, 1.05, 1.2, 1.35, 1.4, 1.25, 1.05, 1.0, 1.05, 1.2)
    + (1.4, 1.5, 1.35, 1.1, 0.8, 0.65)
)
# How customers' cards and banks behave, as the demo's gateway is told, by share.
_METHODS = {
    "sandbox:ok": 86,
    "sandbox:delay=8": 4,
    "sandbox:decline=insufficient_funds": 4,
    "sandbox:decline=card_declined": 2,
    "sandbox:action": 2,
    "sandbox:late=40": 1,
    "sandbox:lost": 1,
}
_CARE = ("fragile", "gift", "keep-cool", "documents")


@lru_cache
def trades() -> dict[str, dict[str, Any]]:
    """Currency, prices, streets, shops and phone numbers by city code."""
    text = files("backend.simulation").joinpath("samples/trade.json").read_bytes()
    content: dict[str, dict[str, Any]] = orjson.loads(text)
    return content


def rhythm(city: City, now: float) -> float:
    """How busy the city's shops are at a moment, 1 on the average."""
    return RHYTHM[datetime.fromtimestamp(now, city.zone).hour]


def order(
    city: City,
    rng: Random,
    now: float,
    reference: str,
    near: Point | None = None,
    wallets: Sequence[str] = (),
) -> dict[str, Any]:
    """An order as a marketplace sends it, from a shop of the city to somebody who lives there.

    `near` is where a driver is who could bring it soon: from a shop around the corner, not far.
    `wallets` are those that customers of the city may pay from.
    """
    trade = trades()[city.code]
    shop_at = _seller(city, rng) if near is None else _around(city, rng, near)
    home_at = _home(city, rng, shop_at, _USUAL_DROP_M if near is None else _SHORT_DROP_M)
    express = near is not None or rng.random() < 0.35
    made: dict[str, Any] = {
        "reference": reference,
        "region": city.code,
        "service": "express" if express else "standard",
        "pickup": _place(city, rng, shop_at, rng.choice(trade["shops"])),
        "drop": _place(city, rng, home_at, person(city, rng)),
        "parcels": _parcels(rng, reference),
        "payment": _payment(trade, rng, wallets),
        "promised_at": _time(now + _patience(rng, express=express)),
        "tags": _tags(rng),
    }
    if made["parcels"][0]["weight_g"] > 25_000:
        made["vehicle"] = "van"
    _windows(made, rng, now)
    return made


def _seller(city: City, rng: Random) -> Point:
    hub = rng.choice(city.hubs)
    for _ in range(8):
        point = (
            hub.at[0] + rng.gauss(0, _SELLERS_SPREAD_M),
            hub.at[1] + rng.gauss(0, _SELLERS_SPREAD_M),
        )
        if city.inside(point):
            return point
    return hub.at


def _around(city: City, rng: Random, at: Point) -> Point:
    point = (at[0] + rng.gauss(0, _CORNER_M), at[1] + rng.gauss(0, _CORNER_M))
    return point if city.inside(point) else at


def _home(city: City, rng: Random, shop_at: Point, usual: float) -> Point:
    for _ in range(12):
        away = usual * exp(rng.gauss(0, _WIDEST_SPREAD))
        away = min(_FARTHEST_DROP_M, max(_NEAREST_DROP_M, away))
        share = rng.uniform(-1, 1)
        side = rng.choice((-1, 1))
        point = (shop_at[0] + away * share, shop_at[1] + side * away * (1 - abs(share)))
        if city.inside(point):
            return point
    return shop_at


def _place(city: City, rng: Random, at: Point, name: str) -> dict[str, Any]:
    trade = trades()[city.code]
    lat, lon = city.streets.to_ground(*at)
    address = trade["address"].format(
        house=rng.randint(1, 240), street=rng.choice(trade["streets"]), post=rng.randint(10, 99)
    )
    phone = "".join(rng.choice("0123456789") if c == "#" else c for c in trade["phone"])
    return {
        "name": name,
        "phone": phone,
        "address": address,
        "lat": round(lat, 6),
        "lon": round(lon, 6),
    }


def _parcels(rng: Random, reference: str) -> list[dict[str, Any]]:
    bulky = rng.random() < 0.05
    count = 1 if bulky else rng.choices((1, 2, 3), (80, 15, 5))[0]
    weight = (28_000, 90_000) if bulky else (150, 5_500)
    return [
        {
            "barcode": f"{reference}-{number}",
            "weight_g": rng.randint(*weight),
            "volume_cm3": rng.randint(60_000, 400_000) if bulky else rng.randint(400, 16_000),
        }
        for number in range(1, count + 1)
    ]


def _payment(trade: dict[str, Any], rng: Random, wallets: Sequence[str]) -> dict[str, Any]:
    low, high = trade["pays"]
    price = min(high, low * exp(abs(rng.gauss(0, 0.8))))
    minor = max(1, round(price / trade["round"])) * trade["round"]
    terms = rng.choices(("cod", "prepaid", "wallet"), (45, 42, 13 if wallets else 0))[0]
    paid: dict[str, Any] = {
        "terms": terms,
        "amount": {"minor": minor, "currency": trade["currency"]},
    }
    if terms == "wallet":
        paid["wallet_id"] = rng.choice(wallets)
    elif terms == "prepaid":
        paid["method"] = rng.choices(list(_METHODS), list(_METHODS.values()))[0]
    return paid


def _patience(rng: Random, *, express: bool) -> float:
    """Seconds until the promise; a few are so short that they are hard to keep."""
    if rng.random() < 0.07:
        return rng.uniform(12, 22) * 60
    return rng.uniform(40, 70) * 60 if express else rng.uniform(90, 200) * 60


def _tags(rng: Random) -> list[str]:
    tags = [rng.choice(_CARE)] if rng.random() < 0.3 else []
    if rng.random() < 0.05:
        tags.append("otp-pickup")
    if rng.random() < 0.04:
        tags.append("otp-only")
    return tags


def _windows(made: dict[str, Any], rng: Random, now: float) -> None:
    """Give some drops a window, and have some parcels ready only later."""
    chance = rng.random()
    if chance < 0.2:
        made["drop"]["window"] = [_time(now), made["promised_at"]]
    elif chance < 0.24:
        opens = now + rng.uniform(70, 110) * 60
        made["pickup"]["window"] = [_time(opens), _time(opens + 3600)]
        made["promised_at"] = _time(opens + 2 * 3600)


def _time(at: float) -> str:
    return datetime.fromtimestamp(round(at), UTC).isoformat()
