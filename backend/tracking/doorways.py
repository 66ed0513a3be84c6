"""The doorways through which phones send positions.

These routes are asked thousands of times a second, so each reads its request by itself instead of
having FastAPI solve dependencies; FastAPI describes them all the same.
"""

from collections.abc import Sequence
from time import time
from uuid import UUID

from fastapi import APIRouter, Request, Response

from backend.identity import service as identity
from backend.identity.callers import identify, token_of
from backend.identity.rules import DEVICE_PREFIX
from backend.identity.schemas import Principal
from backend.platform.errors import (
    DomainError,
    Unauthenticated,
    Unavailable,
)
from backend.platform.http import client_address
from backend.platform.plain_route import PlainRoute, body_of
from backend.platform.ratelimit import take
from backend.platform.resources import Resources, current
from backend.tracking import codecs
from backend.tracking.codecs import Item
from backend.tracking.devices import Home, home_of
from backend.tracking.doorway_answers import answer_of_batch, answer_of_one
from backend.tracking.flood import Floodgate, TooFast
from backend.tracking.ingest import intake_of
from backend.tracking.rules import Code, Fault, Status, Verdict
from backend.tracking.schemas import BatchResult, FixIn

PERMISSION = "positions:write"
_NOWHERE = "*"
_JSON = "application/json"
_OPERATOR_SHARE = 50

_floodgate = Floodgate()


router = APIRouter(tags=["positions"], route_class=PlainRoute)


class UnknownDevice(DomainError):
    """The device id and key name no phone of ours."""

    status = 400
    code = "unknown_device"
    title = "This device is not known"


class UnknownTraccarDevice(UnknownDevice):
    """The same in the words of Traccar Client 9 and later."""

    status = 404


_FIX = FixIn.model_json_schema()
_BATCH = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "oneOf": [
                        _FIX,
                        {
                            "type": "array",
                            "items": _FIX,
                            "minItems": 1,
                            "maxItems": codecs.MAX_FIXES,
                        },
                    ]
                }
            }
        },
    },
    "security": [{"bearer": []}],
    "x-permission": PERMISSION,
}


@router.post(
    "/api/v1/positions",
    status_code=202,
    response_model=BatchResult,
    responses={200: {"model": BatchResult}},
    openapi_extra=_BATCH,
)
async def post_positions(request: Request) -> Response:
    """Take one fix or up to 1,000; answers one result for each once they are durable.

    202 where something was taken, 200 where a batch holds nothing to take, 422 with the one result
    where a single fix is refused. A device's token names its driver; others name one in each fix.
    """
    resources = current()
    principal = await _caller(request, resources)
    home = None
    if principal.driver_id is not None:
        home = await _own_home(resources, principal)
    identity.authorize(principal, PERMISSION, home.place if home else None)
    try:
        batch = codecs.native(await body_of(request))
    except DomainError:
        region = home.region if home else _NOWHERE
        intake_of(resources).refuse(region, "native", Code.INVALID)
        raise
    if home is not None:
        _floodgate.pass_through(principal.id, len(batch.items))
        items = _own_items(batch, home.driver)
        verdicts = await intake_of(resources).take(home.driver, home.region, "native", items)
    else:
        _floodgate.pass_through(principal.id, len(batch.items), share=_OPERATOR_SHARE)
        verdicts = await _take_for_many(resources, principal, batch)
    return answer_of_batch(verdicts, single=batch.single)


async def _caller(request: Request, resources: Resources) -> Principal:
    """Whoever the token stands for; a cookie opens no doorway of phones."""
    token = _bearer(request) or token_of(request)
    if token is None:
        raise Unauthenticated
    principal = await identity.principal_of_bearer(resources, token)
    if principal is None:
        # Asked again for its side: a wrong token costs its address some of a small budget.
        await identify(request, resources)
        raise Unauthenticated
    return principal


def _bearer(request: Request) -> str | None:
    """The Bearer token as phones spell it, found without decoding every header."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return value[7:].decode("latin-1") if value.startswith(b"Bearer ") else None
    return None


async def _own_home(resources: Resources, principal: Principal) -> Home:
    assert principal.driver_id is not None
    home = await home_of(resources, principal.driver_id)
    if home is None:
        raise Unauthenticated("The driver of this token is gone.")
    return home


def _own_items(batch: codecs.NativeBatch, driver: UUID) -> Sequence[Item]:
    """The items, refused where they name another driver than the token's."""
    if all(named is None or named == driver for named in batch.drivers):
        return batch.items
    fault = Fault(Code.UNKNOWN_DRIVER, "driver_id: not the driver of this token")
    return [
        item if named is None or named == driver else fault
        for item, named in zip(batch.items, batch.drivers, strict=True)
    ]


async def _take_for_many(
    resources: Resources, principal: Principal, batch: codecs.NativeBatch
) -> list[Verdict]:
    """The verdicts on an integration's items, each of which names its driver."""
    intake = intake_of(resources)
    places: dict[UUID | None, list[int]] = {}
    for index, named in enumerate(batch.drivers):
        places.setdefault(named, []).append(index)
    verdicts: dict[int, Verdict] = {}
    for named, indices in places.items():
        items = [batch.items[index] for index in indices]
        home = None if named is None else await home_of(resources, named)
        if home is None or not identity.may(principal, PERMISSION, home.place):
            found = [_nobodys(item) for item in items]
            for verdict in found:
                if verdict.code is not None:
                    intake.refuse(_NOWHERE, "native", verdict.code)
        else:
            found = await intake.take(home.driver, home.region, "native", items)
        verdicts.update(zip(indices, found, strict=True))
    return [verdicts[index] for index in range(len(batch.items))]


def _nobodys(item: Item) -> Verdict:
    if isinstance(item, Fault):
        return Verdict(Status.REJECTED, item.code, detail=item.detail)
    detail = "driver_id: there is no such driver"
    return Verdict(Status.REJECTED, Code.UNKNOWN_DRIVER, detail=detail)


_OSMAND = {
    "parameters": [
        {"name": name, "in": "query", "required": name == "id", "schema": {"type": "string"}}
        for name in (
            "id", "timestamp", "lat", "lon", "location", "speed", "bearing", "heading", "altitude",
            "accuracy", "batt", "charge", "valid", "mock",
        )
    ],
    "x-permission": PERMISSION,
}  # fmt: skip


@router.get("/api/osmand", openapi_extra=_OSMAND, operation_id="osmand_get")
@router.post("/api/osmand", openapi_extra=_OSMAND, operation_id="osmand_post")
@router.get("/api/osmand/{key}", openapi_extra=_OSMAND, operation_id="osmand_key_get")
@router.post("/api/osmand/{key}", openapi_extra=_OSMAND, operation_id="osmand_key_post")
async def osmand(request: Request) -> Response:
    """Traccar Client, any version, and whatever speaks OsmAnd's protocol; 200 once durable.

    The device's key is the path's last part, a Bearer token, the password of Basic, or the id
    itself. A fix that is refused by its content is answered 200 too, with the reason in the body:
    the app would send it again for ever, and every later one behind it.
    """
    resources = current()
    body = await body_of(request)
    as_json = request.headers.get("content-type", "").startswith(_JSON) or body[:1] == b"{"
    unknown: type[UnknownDevice] = UnknownDevice
    items: list[Item]
    if as_json:
        unknown = UnknownTraccarDevice
        device, items = codecs.traccar_json(body)
    else:
        values = codecs.osmand_values(request.scope["query_string"], body)
        device, item = codecs.osmand_query(values, int(time() * 1000))
        items = [] if item is None else [item]
    home = await _home_of_device(request, resources, device)
    if home is None:
        intake_of(resources).refuse(_NOWHERE, "osmand", Code.UNKNOWN_DEVICE)
        raise unknown
    return answer_of_one(await _take(resources, home, "osmand", items), body=None)


async def _home_of_device(request: Request, resources: Resources, device: str) -> Home | None:
    """The driver of a device by its id and key; by the id alone only in the demo."""
    key = request.path_params.get("key") or token_of(request)
    key_is_id = not key and device.startswith(DEVICE_PREFIX)
    if not key and not key_is_id:
        return await home_of(resources, device) if resources.settings.demo else None
    principal = await identity.principal_of_bearer(resources, key or device)
    if principal is None or principal.driver_id is None:
        await take(
            resources.redis, f"wrong-token:{client_address(request)}", rate_per_s=1, burst=60
        )
        return None
    home = await _own_home(resources, principal)
    identity.authorize(principal, PERMISSION, home.place)
    named = device.casefold()
    if not key_is_id and named not in (str(home.driver), home.code.casefold()):
        return None
    return home


async def _take(
    resources: Resources, home: Home, doorway: str, items: Sequence[Item]
) -> list[Verdict]:
    _floodgate.pass_through(f"driver:{home.driver}", len(items))
    if not items:
        return []
    return await intake_of(resources).take(home.driver, home.region, doorway, items)


_OWNTRACKS = {
    "requestBody": {"content": {_JSON: {"schema": {"type": "object"}}}},
    "security": [{"basic": []}],
    "x-permission": PERMISSION,
}


@router.post("/api/owntracks", openapi_extra=_OWNTRACKS)
async def owntracks(request: Request) -> Response:
    """OwnTracks in HTTP mode, the device token as password; `[]` once the fix is durable.

    The app counts any answer below 500 as delivered. What is no location is answered and ignored.
    In the demo the driver may be named by `X-Limit-U` alone.
    """
    resources = current()
    home = await _home_of_owntracks(request, resources)
    try:
        item = codecs.owntracks(await body_of(request))
    except DomainError:
        intake_of(resources).refuse(home.region, "owntracks", Code.INVALID)
        raise
    try:
        verdicts = await _take(resources, home, "owntracks", [] if item is None else [item])
    except TooFast as refusal:
        # The app takes any answer below 500 for a delivery.
        raise Unavailable(refusal.detail, retry_after_s=refusal.retry_after_s) from refusal
    return answer_of_one(verdicts, b"[]")


async def _home_of_owntracks(request: Request, resources: Resources) -> Home:
    token = token_of(request)
    if not token:
        named = request.headers.get("x-limit-u") if resources.settings.demo else None
        home = await home_of(resources, named) if named else None
        if home is None:
            raise Unauthenticated
        return home
    principal = await _caller(request, resources)
    if principal.driver_id is None:
        raise Unauthenticated("The password is not the token of a driver's phone.")
    home = await _own_home(resources, principal)
    identity.authorize(principal, PERMISSION, home.place)
    return home
