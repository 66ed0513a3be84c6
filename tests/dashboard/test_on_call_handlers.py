"""Stand-ins and heartbeats over a real socket, as an admin's browser keeps them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from backend.identity.schemas import SYSTEM
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import EscalationStep, OnCallPerson, ScheduleIn
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.service import seed
from tests.dashboard.conftest import Connect, SignIn, seen, send, state_of
from tests.dashboard.test_incident_handlers import ADMIN, AGENT

PATH = "/admin/on-call"
STAND_INS = state_of("stand_ins")
HEARTBEATS = state_of("heartbeats")
MAINTENANCE = state_of("maintenance")
COSTS = state_of("costs")


async def test_an_admin_has_somebody_stand_in_and_takes_it_back(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    people = [OnCallPerson(person_id=f"user:{name}", name=name) for name in ("Nok", "Dao")]
    wanted = ScheduleIn(
        name=f"Nights {uuid4().hex[:6]}", region="TH-10", people=people,
        starts_at=clock.now() - timedelta(hours=1),
        steps=[EscalationStep(after_s=0, channels=["console"])],
    )  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        kept = await incidents.save_schedule(session, SYSTEM, wanted)

    async def on_call() -> str:
        async with resources.database.unit_of_work() as session:
            found = await incidents.who_is_on_call(session, SYSTEM, "TH-10")
        return next(each.person.name for each in found if each.schedule_id == kept.id)

    assert await on_call() == "Nok"
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        await send(console, f"{STAND_INS}.begin", PATH, {"schedule_id": str(kept.id)})
        await seen(console, STAND_INS, lambda now: now.get("open"))
        now = clock.now()
        backwards = {
            "person": "user:Dao",
            "since": f"{now:%Y-%m-%dT%H:%M}",
            "until": f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M}",
        }
        await send(console, f"{STAND_INS}.add", PATH, {"form": backwards})
        fault = await seen(console, STAND_INS, lambda now: now.get("fault"))
        assert fault == "A stand-in ends after it begins."
        form = backwards | {"until": f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}"}
        await send(console, f"{STAND_INS}.add", PATH, {"form": form})
        [row] = await seen(console, STAND_INS, lambda now: now.get("rows"))
        assert row["name"] == "Dao"
        assert await on_call() == "Dao"
        await send(console, f"{STAND_INS}.remove", PATH, {"key": row["key"]})
        await seen(console, STAND_INS, lambda now: now.get("rows") == [])
    assert await on_call() == "Nok"


async def test_an_admin_expects_a_heartbeat_and_drops_it_again(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    named = f"alertmanager/{uuid4().hex[:8]}"
    form = {"integration": named, "minutes": "5", "region": "IN-KA", "severity": "SEV3"}
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        await send(console, f"{HEARTBEATS}.save", PATH, {"form": form | {"minutes": "often"}})
        assert await seen(console, HEARTBEATS, lambda now: now.get("form_fault"))
        await send(console, f"{HEARTBEATS}.save", PATH, {"form": form})
        assert await console.notice_like(f"{named} is expected to be heard")
        await send(console, f"{HEARTBEATS}.load", PATH)
        rows = await seen(console, HEARTBEATS, lambda now: now.get("rows"))
        row = next(each for each in rows if each["integration"] == named)
        assert (row["state"], row["told_as"]) == ("heard", "SEV3, monitoring")
        await send(console, f"{HEARTBEATS}.remove", PATH, {"integration": named})
        assert await console.notice_like("no alert any more")
    async with resources.database.unit_of_work() as session:
        kept = await incidents.list_heartbeats(session, SYSTEM)
    assert named not in {each.integration for each in kept}


async def test_an_agent_expects_nothing(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    named = f"grafana/{uuid4().hex[:8]}"
    form = {"integration": named, "minutes": "5", "region": "IN-KA", "severity": "SEV3"}
    async with connect(await sign_in("Meera Kulkarni", AGENT)) as console:
        await send(console, f"{HEARTBEATS}.save", PATH, {"form": form})
        await send(console, f"{HEARTBEATS}.load", PATH)
        await seen(console, HEARTBEATS, lambda now: now.get("ready"))
    async with resources.database.unit_of_work() as session:
        kept = await incidents.list_heartbeats(session, SYSTEM)
    assert named not in {each.integration for each in kept}


async def test_an_admin_adds_a_window_of_maintenance_and_ends_it(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    reason = f"New switches {uuid4().hex[:6]}"
    form = {"region": "IN-KA", "services": "payments, ", "start": "0", "lasts": "60"}
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        await send(console, f"{MAINTENANCE}.add", PATH, {"form": form})
        assert "reason" in await seen(console, MAINTENANCE, lambda now: now.get("form_fault"))
        await send(console, f"{MAINTENANCE}.add", PATH, {"form": form | {"reason": reason}})
        assert await console.notice_like("Alerts in it open nothing")
        await send(console, f"{MAINTENANCE}.load", PATH)
        rows = await seen(console, MAINTENANCE, lambda now: now.get("rows"))
        [row] = [each for each in rows if each["reason"] == reason]
        assert (row["services"], row["state"]) == ("payments", "runs")
        for words in ("It is over", "over"):
            await send(console, f"{MAINTENANCE}.end", PATH, {"window_id": row["id"]})
            assert await console.notice_like(words)


async def test_a_cost_is_kept_and_taken_away_as_the_page_shows_it(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    form = {"month": f"{clock.now():%Y-%m}", "kind": "compute", "note": uuid4().hex[:6]}
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        await send(console, f"{COSTS}.save", PATH, {"form": form | {"amount": "much"}})
        assert await seen(console, COSTS, lambda now: now.get("form_fault"))
        await send(console, f"{COSTS}.save", PATH, {"form": form | {"amount": "12.50"}})
        assert await seen(console, COSTS, lambda now: now.get("serial"))
        await send(console, f"{COSTS}.load", PATH)
        rows = await seen(console, COSTS, lambda now: now.get("rows"))
        [row] = [each for each in rows if each["note"] == form["note"]]
        await send(console, f"{COSTS}.remove", PATH, {"cost_id": row["id"]})
        shown = rows
        while row["id"] in {each["id"] for each in shown}:
            await send(console, f"{COSTS}.load", PATH)
            [shown] = await seen(
                console, COSTS, lambda now: [now["rows"]] if "rows" in now else None
            )
