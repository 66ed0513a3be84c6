"""Everything that is wrong with an order that was sent, with a pointer to each fault."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from backend.dispatch.roster_rules import LARGEST, USUAL
from backend.dispatch.schemas import OrderIn
from backend.platform.errors import FieldError
from backend.regions.schemas import Region
from backend.regions.service import Directory

# Addresses at a city's edge are placed a little outside its simplified outline.
OUTLINE_TOLERANCE_M = 1_000.0
FARTHEST_AHEAD = timedelta(days=60)


def faults_of(order: OrderIn, directory: Directory, now: datetime) -> list[FieldError]:
    """Every fault of an order; empty where it can be taken in."""
    city = directory.get(order.region)
    if city is None or city.kind != "city":
        detail = f"{order.region} is not a city's code."
        return [FieldError("/region", "unknown", detail)]
    return [
        *point_faults(directory, city, "/pickup/lat", order.pickup.lat, order.pickup.lon),
        *point_faults(directory, city, "/drop/lat", order.drop.lat, order.drop.lon),
        *window_faults("/pickup/window", order.pickup.window, now),
        *window_faults("/drop/window", order.drop.window, now),
        *_promise_faults(order, now),
        *_payment_faults(order, city),
        *_parcel_faults(order),
    ]


def point_faults(
    directory: Directory, city: Region, pointer: str, lat: float, lon: float
) -> list[FieldError]:
    """Whether the point lies where the city's drivers go."""
    if directory.reaches(city.code, lat, lon, OUTLINE_TOLERANCE_M):
        return []
    detail = f"The point {lat:.5f}, {lon:.5f} is not in {city.name}."
    return [FieldError(pointer, "outside_region", detail)]


def window_faults(
    place: str, window: tuple[datetime, datetime] | None, now: datetime
) -> list[FieldError]:
    """Whether a time window can still be kept."""
    if window is None:
        return []
    opens, closes = window
    if closes <= opens:
        return [FieldError(place, "reversed", "The window closes before it opens.")]
    if closes <= now:
        return [FieldError(f"{place}/1", "in_past", "The window has closed already.")]
    if closes > now + FARTHEST_AHEAD:
        detail = f"The window closes more than {FARTHEST_AHEAD.days} days from now."
        return [FieldError(f"{place}/1", "too_far_ahead", detail)]
    return []


def promise_faults(promised_at: datetime | None, now: datetime) -> list[FieldError]:
    """Whether a promise can still be kept."""
    if promised_at is None:
        return []
    if promised_at <= now:
        return [FieldError("/promised_at", "in_past", "The promise is past already.")]
    if promised_at > now + FARTHEST_AHEAD:
        detail = f"The promise is more than {FARTHEST_AHEAD.days} days from now."
        return [FieldError("/promised_at", "too_far_ahead", detail)]
    return []


def _promise_faults(order: OrderIn, now: datetime) -> list[FieldError]:
    faults = promise_faults(order.promised_at, now)
    pickup = order.pickup.window
    if faults or pickup is None:
        return faults
    if order.promised_at is not None and order.promised_at <= pickup[0]:
        detail = "The promise is before the pickup's window opens."
        return [FieldError("/promised_at", "before_pickup", detail)]
    if order.drop.window is not None and order.drop.window[1] <= pickup[0]:
        detail = "The drop's window closes before the pickup's opens."
        return [FieldError("/drop/window", "before_pickup", detail)]
    return []


def _payment_faults(order: OrderIn, city: Region) -> list[FieldError]:
    payment = order.payment
    faults = []
    if payment.amount.currency != city.currency:
        detail = f"{city.name} trades in {city.currency}, not in {payment.amount.currency}."
        faults.append(FieldError("/payment/amount/currency", "wrong_currency", detail))
    if payment.terms == "wallet" and payment.wallet_id is None:
        detail = "An order paid from a wallet names the wallet."
        faults.append(FieldError("/payment/wallet_id", "missing", detail))
    if payment.terms != "wallet" and payment.wallet_id is not None:
        detail = f"A {payment.terms} order is not paid from a wallet."
        faults.append(FieldError("/payment/wallet_id", "not_expected", detail))
    if payment.terms == "cod" and payment.amount.minor == 0:
        detail = "Cash on delivery needs an amount to collect."
        faults.append(FieldError("/payment/amount/minor", "zero", detail))
    return faults


def _parcel_faults(order: OrderIn) -> list[FieldError]:
    faults = []
    seen: Counter[str] = Counter()
    for index, parcel in enumerate(order.parcels):
        seen[parcel.barcode] += 1
        if seen[parcel.barcode] > 1:
            detail = f"Another parcel of this order has the barcode {parcel.barcode}."
            faults.append(FieldError(f"/parcels/{index}/barcode", "repeated", detail))
    vehicle: str = order.vehicle or LARGEST
    most = USUAL[vehicle]
    if sum(parcel.weight_g for parcel in order.parcels) > most.weight_g:
        detail = f"No {vehicle} carries more than {most.weight_g // 1000} kg."
        faults.append(FieldError("/parcels", "too_heavy", detail))
    if sum(parcel.volume_cm3 for parcel in order.parcels) > most.volume_cm3:
        detail = f"No {vehicle} holds more than {most.volume_cm3 // 1_000_000} cubic metres."
        faults.append(FieldError("/parcels", "too_large", detail))
    return faults
