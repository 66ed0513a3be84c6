"""People read regions by their names on every list, in every refusal and at their own roles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backend.identity import service as identity
from backend.identity.access import AlreadyHeld
from backend.identity.policy import Denied
from backend.identity.schemas import SYSTEM, GrantIn, GrantScope, Principal
from backend.notifications import service as notifications
from backend.notifications.schemas import EndpointIn
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from dashboard.states.audit import places
from tests.dashboard.conftest import SHELL, Connect, SignIn, seen, send, state_of
from tests.dashboard.test_incident_handlers import ADMIN
from tests.payments.test_cod import at_hub, delivered
from tests.payments.world import World, seeded_world

SOMEBODY = Principal("user", "user:somebody", "Nan P.", (GrantScope("admin", "*"),))


@pytest.fixture
async def world(resources: Resources) -> World:
    return await seeded_world(resources)


async def _shown(console: Any, module: str, path: str, name: str, query: str = "") -> Any:
    """What a page shows under `name` once the frame around it knows who is there."""
    await send(console, f"{SHELL}.enter", path)
    await seen(console, SHELL, lambda now: now.get("person"))
    state = state_of(module)
    await send(console, f"{state}.load", path, query=query)
    return await seen(console, state, lambda now: now.get(name))


async def test_lists_of_money_tell_places_by_name(
    connect: Connect, sign_in: SignIn, world: World
) -> None:
    order = await world.order(method="sandbox:declined")
    wallet = await world.wallet(10_000, holder=f"customer:{uuid4().hex[:8]}")
    payment = await world.payment(order)
    driver = uuid7()
    await delivered(world, driver)
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        [row] = [
            each
            for each in await _shown(console, "payments", "/payments", "rows")
            if each["id"] == str(payment.id)
        ]
        assert row["place"] == "Bangkok"
        rows = await _shown(console, "wallets", "/payments/wallets", "rows", "region=TH-10")
        assert {each["place"] for each in rows} == {"Bangkok"}
        at = f"/payments/wallets/{wallet}"
        await send(console, f"{_wallet()}.load", at)
        found = await seen(
            console, _wallet(), lambda now: now.get("wallet", {}).get("id") and now["wallet"]
        )
        assert found["place"] == "Bangkok"
        rows = await _shown(console, "ledger", "/payments/ledger", "rows", "q=" + str(wallet))
        assert {each["place"] for each in rows} <= {"Bangkok", "Thailand"}
        cash = await _shown(console, "cash", "/payments/cod", "drivers")
        [shift] = [each for each in cash if each["driver_id"] == str(driver)]
        assert shift["place"] == "Bangkok"


def _wallet() -> str:
    return state_of("wallets").replace("wallets_state", "wallet_state")


@pytest.mark.parametrize("region", ["TH-10", "TH-10.siam"])
async def test_cash_is_taken_in_at_a_hub_of_its_city_that_is_chosen_by_name(
    connect: Connect, sign_in: SignIn, world: World, region: str
) -> None:
    driver = uuid7()
    order = await delivered(world, driver)
    async with world.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE payments_cod SET region = :region WHERE order_id = :order"),
            {"region": region, "order": order},
        )
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        cash = await _shown(console, "cash", "/payments/cod", "drivers")
        [shift] = [each for each in cash if each["driver_id"] == str(driver)]
        await send(console, f"{state_of('cash')}.ask", "/payments/cod", {"what": shift["key"]})
        hubs = await seen(console, state_of("cash"), lambda now: now.get("choices"))
    named = [(each["code"], each["path"]) for each in hubs]
    assert ("TH-10.siam", "Siam") in named
    assert {code.partition(".")[0] for code, _ in named} == {"TH-10"}
    if region == "TH-10.siam":
        assert named[0] == ("TH-10.siam", "Siam")


async def test_tills_and_hand_overs_name_their_hub(
    connect: Connect, sign_in: SignIn, world: World
) -> None:
    driver = uuid7()
    await delivered(world, driver)
    await at_hub(world, driver, 50_000)
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        handed = await _shown(console, "cash", "/payments/cod", "handed")
        assert handed[0]["what"].endswith(" to Siam")
        tills = await _shown(console, "cash", "/payments/cod", "hubs")
        assert ("TH-10.siam", "Siam") in [(each["hub"], each["place"]) for each in tills]


async def test_pages_of_administrators_tell_places_by_name(
    connect: Connect, sign_in: SignIn, world: World, resources: Resources
) -> None:
    name = f"shop-{uuid4().hex[:8]}"
    async with resources.database.unit_of_work() as session:
        await identity.issue_api_token(
            session, SOMEBODY, name, permissions=frozenset({"orders:read"}),
            regions=("TH-10", "VN"), ttl=timedelta(hours=1),
        )  # fmt: skip
        wanted = EndpointIn(
            url="https://shop.example/hook", merchant=f"service:{name}", region="TH-10"
        )
        made = await notifications.create_endpoint(session, SOMEBODY, wanted)
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        tokens = await _shown(console, "tokens", "/admin/tokens", "rows")
        assert [each["places"] for each in tokens if each["name"] == name] == ["Bangkok, Vietnam"]
        hooks = await _shown(console, "integrations", "/admin/integrations", "rows")
        assert [each["place"] for each in hooks if each["id"] == str(made.id)] == ["Bangkok"]
        trail = await _shown(console, "audit", "/admin/audit", "rows", "region=TH-10")
        assert {each["place"] for each in trail} == {"Bangkok"}
        asked = "permission=orders:write&region=VN-SG"
        where = await _shown(console, "policies", "/admin/policies", "asked_where", asked)
        assert where == "in Ho Chi Minh City"


async def test_an_auditor_without_a_map_still_reads_and_narrows_by_names(
    connect: Connect, sign_in: SignIn, world: World
) -> None:
    async with connect(await sign_in("Auditor", ("auditor", "TH"))) as console:
        await send(console, f"{SHELL}.enter", "/admin/audit")
        assert await seen(console, SHELL, lambda now: now.get("roles")) == "auditor in Thailand"
        state = state_of("audit")
        await send(console, f"{state}.load", "/admin/audit")
        known = await seen(console, state, lambda now: now.get("places"))
        assert {"code": "TH-10", "path": "Bangkok"} in known


def test_places_to_narrow_by_are_those_of_the_switcher_where_there_is_one() -> None:
    def choice(code: str, path: str) -> Any:
        return {"code": code, "name": path, "path": path, "depth": "0", "zone": "UTC"}

    switcher = [choice("*", "All regions"), choice("TH-10", "Thailand / Bangkok")]
    assert places(switcher, {"VN": "Vietnam"}) == [{"code": "TH-10", "path": "Thailand / Bangkok"}]


async def test_a_refusal_names_the_place_to_people_and_its_code_to_programs(
    connect: Connect, sign_in: SignIn, world: World
) -> None:
    with pytest.raises(Denied, match="overview:read in TH-10"):
        identity.authorize(
            Principal("user", "user:x", "X", (GrantScope("viewer", "VN"),)),
            "overview:read",
            "TH-10",
        )
    async with connect(await sign_in("Ben", ("viewer", "VN"))) as console:
        fault = await _shown(console, "overview", "/", "fault", "region=TH-10")
        assert fault == "Your roles do not include overview:read in Bangkok."


async def test_a_role_that_is_held_already_is_told_in_words(
    connect: Connect, sign_in: SignIn, world: World, resources: Resources
) -> None:
    await sign_in("Somebody", ("viewer", "VN"))
    async with resources.database.unit_of_work() as session:
        [person] = await identity.list_persons(session, SYSTEM, text="Somebody", limit=1)
        for region in ("TH-10", "*"):
            wanted = GrantIn(
                person_id=person.id, role="fleet_manager", region=region, reason="for a while"
            )
            await identity.grant_role(session, SYSTEM, wanted)
            with pytest.raises(AlreadyHeld) as refused:
                await identity.grant_role(session, SYSTEM, wanted)
            where = "everywhere" if region == "*" else "in TH-10"
            assert refused.value.detail == f"Somebody already holds fleet_manager {where}."
    access = state_of("access")
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        query = f"person={person.id}"
        await _shown(console, "access", "/admin/access", "chosen_id", query)
        form = {"role": "fleet_manager", "region": "TH-10", "reason": "once more"}
        await send(console, f"{access}.give", "/admin/access", {"form": form}, query)
        words = await console.notice_like("already holds")
        assert words == "Somebody already holds fleet manager in Bangkok."
