"""Pictures of proof: sent in pieces, kept once, shown as pictures; and support's word instead."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import service
from backend.platform.resources import Resources
from tests.dispatch.orders import marketplace
from tests.dispatch.phones import (
    LUMPINI,
    App,
    announce,
    app,
    at_door,
    column,
    digest,
    far,
    order_of,
    piece,
    png,
    state_of,
)
from tests.tracking.fleet import somebody


@pytest.fixture
async def phone(client: httpx.AsyncClient, resources: Resources) -> App:
    return await app(client, resources)


def files(resources: Resources) -> list[Path]:
    root = resources.settings.data_dir / "evidence"
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def _clean(resources: Resources) -> None:
    for path in files(resources):
        path.unlink()


async def upload(phone: App, content: bytes) -> str:
    name = digest(content)
    assert (await announce(phone, name, len(content))).status_code == 201
    assert (await piece(phone, name, 0, content)).status_code == 204
    return name


async def test_a_picture_comes_in_pieces_and_goes_on_where_it_stopped(
    phone: App, resources: Resources
) -> None:
    content = png(5000)
    name = digest(content)
    begun = await announce(phone, name, len(content))
    assert begun.headers["location"] == f"/api/driver/v1/evidence/{name}"
    assert (await piece(phone, name, 0, content[:2000])).headers["upload-offset"] == "2000"
    asked = await far(phone, name)
    assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == (
        "2000", str(len(content)),
    )  # fmt: skip
    wrong = await piece(phone, name, 0, content[:2000])
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, "2000")
    assert (await piece(phone, name, 2000, content[2000:])).status_code == 204
    [kept] = files(resources)
    assert kept.read_bytes() == content
    assert kept.relative_to(resources.settings.data_dir / "evidence") == Path(name[:2], name)


async def test_the_same_picture_again_makes_no_second_file(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    content = png()
    name = await upload(phone, content)
    lost = await piece(phone, name, 0, content)
    assert (lost.status_code, lost.headers["upload-offset"]) == (204, str(len(content)))
    other = await app(client, resources)
    again = await announce(other, name, len(content))
    assert (again.status_code, again.headers["upload-offset"]) == (201, str(len(content)))
    assert len(files(resources)) == 1


async def test_content_under_a_wrong_name_is_refused_and_begins_anew(
    phone: App, resources: Resources
) -> None:
    content = png(100)
    name = digest(content)
    await announce(phone, name, len(content))
    broken = content[:-1] + b"x"
    answer = await piece(phone, name, 0, broken)
    assert answer.status_code == 460
    assert answer.json()["type"] == "urn:waypost:problem:wrong_hash"
    assert (await far(phone, name)).headers["upload-offset"] == "0"
    assert files(resources) == []
    assert (await piece(phone, name, 0, content)).status_code == 204


async def test_only_pictures_are_taken_whatever_they_are_called(
    phone: App, resources: Resources
) -> None:
    page = b"<html><script>alert(1)</script></html>"
    name = digest(page)
    await announce(phone, name, len(page))
    assert (await piece(phone, name, 0, page)).status_code == 415
    # In pieces too small to tell at once.
    for offset in range(0, len(page), 10):
        last = await piece(phone, name, offset, page[offset : offset + 10])
    assert last.status_code == 415
    assert files(resources) == []


async def test_more_than_eight_megabytes_are_refused_before_they_come(phone: App) -> None:
    answer = await announce(phone, "d" * 64, 8 * 1024 * 1024 + 1)
    assert answer.status_code == 413


async def test_a_name_that_is_no_hash_reaches_no_path(phone: App) -> None:
    assert (await announce(phone, "../../etc/passwd", 10)).status_code == 422
    assert (await piece(phone, "..%2f..%2fx", 0, b"x")).status_code in (404, 422)


async def test_a_full_disk_refuses_the_piece_and_keeps_what_was_there(
    phone: App, resources: Resources
) -> None:
    content = png(200_000)
    name = digest(content)
    await announce(phone, name, len(content))
    await piece(phone, name, 0, content[:1000])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        full = await piece(phone, name, 1000, content[1000:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert full.status_code == 507
    assert full.json()["type"] == "urn:waypost:problem:storage_full"
    assert (await far(phone, name)).headers["upload-offset"] == "1000"
    [part] = files(resources)
    assert part.stat().st_size == 1000
    assert (await piece(phone, name, 1000, content[1000:])).status_code == 204
    assert [path.read_bytes() for path in files(resources)] == [content]


async def test_pieces_lost_with_their_machine_are_asked_for_again(
    phone: App, resources: Resources
) -> None:
    content = png(3000)
    name = digest(content)
    await announce(phone, name, len(content))
    await piece(phone, name, 0, content[:1000])
    for path in files(resources):
        path.unlink()
    answer = await piece(phone, name, 1000, content[1000:])
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "0")
    assert (await piece(phone, name, 0, content)).status_code == 204


async def taken(phone: App, order: Any, kind: str, size: int) -> str:
    content = png(size)
    name = await upload(phone, content)
    said = {"sha256": name, "kind": kind, "step": "drop", "position": LUMPINI}
    assert await phone.tell("evidence.added", order, **said) == "accepted"
    return name


async def test_photo_and_signature_prove_a_delivery(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    await taken(phone, order, "photo", 10)
    assert await phone.tell("order.deliver", order) == "rejected proof_missing"
    await taken(phone, order, "signature", 20)
    assert await phone.tell("order.deliver", order) == "accepted"
    proof = await column(
        resources,
        "SELECT data->>'proof' FROM dispatch_order_event WHERE type = 'order.delivered'",
    )
    assert proof == ["photo_signature"]


async def test_an_order_may_be_for_a_code_only(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id, tags=["otp-only"])
    await at_door(phone, order)
    await taken(phone, order, "photo", 10)
    await taken(phone, order, "signature", 20)
    assert await phone.tell("order.deliver", order) == "rejected proof_missing"


async def test_people_of_the_region_see_the_picture_and_nothing_else_of_it(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    await taken(phone, order, "photo", 10)
    promised = {"sha256": "e" * 64, "kind": "signature", "step": "drop"}
    await phone.tell("evidence.added", order, **promised)
    viewer = await somebody(resources, "viewer", "TH-10")
    address = f"/api/v1/orders/{order.number}/evidence"
    proofs = (await client.get(address, headers=viewer)).json()
    assert [(p["kind"], p["content"]) for p in proofs] == [
        ("scan", False), ("photo", True), ("signature", False),
    ]  # fmt: skip
    assert proofs[1]["distance_m"] == 0
    shown = await client.get(f"{address}/{proofs[1]['id']}/content", headers=viewer)
    assert shown.content == png(10)
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    missing = await client.get(f"{address}/{proofs[2]['id']}/content", headers=viewer)
    assert missing.status_code == 404
    abroad = await somebody(resources, "viewer", "IN-KA")
    _, stranger = await marketplace(resources, "stranger")
    for headers in (abroad, stranger):
        assert (await client.get(address, headers=headers)).status_code == 404


async def override(
    client: httpx.AsyncClient, order: Any, headers: dict[str, str], **more: Any
) -> httpx.Response:
    address = f"/api/v1/orders/{order.number}/proof/override"
    body = {"reason": "The recipient confirmed by phone", **more}
    return await client.post(address, json=body, headers=headers)


async def test_support_may_waive_proof_with_a_reason_that_is_audited(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    manager = await somebody(resources, "fleet_manager")
    assert (await override(client, order, manager)).status_code == 403
    agent = await somebody(resources, "support_agent")
    assert (await override(client, order, agent)).status_code == 200
    assert (await phone.sync())["tasks"][0]["overridden"]
    assert await phone.tell("order.deliver", order) == "accepted"
    trail = await column(
        resources, "SELECT reason FROM identity_audit WHERE action = 'order.proof_overridden'"
    )
    assert trail == ["The recipient confirmed by phone"]


async def test_support_may_close_an_order_at_the_door_at_once(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    agent = await somebody(resources, "support_agent")
    assert (await override(client, order, agent, deliver=True)).status_code == 409
    await at_door(phone, order)
    assert (await override(client, order, agent, deliver=True)).json()["state"] == "delivered"
    assert await state_of(resources, order) == "delivered"
    assert (await phone.sync())["tasks"] == []


async def test_an_upload_that_nobody_goes_on_with_is_forgotten_after_a_day(
    phone: App, resources: Resources
) -> None:
    half, whole = png(4000), png(40)
    await announce(phone, digest(half), len(half))
    await piece(phone, digest(half), 0, half[:1000])
    kept = await upload(phone, whole)
    async with resources.database.unit_of_work() as session:
        await service.drop_abandoned(session)
        await session.execute(
            text("UPDATE dispatch_upload SET begun_at = begun_at - interval '25 hours'")
        )
    assert len(files(resources)) == 2
    async with resources.database.unit_of_work() as session:
        await service.drop_abandoned(session)
    assert [path.name for path in files(resources)] == [kept]
    assert (await far(phone, digest(half))).status_code == 404
