"""Every event handler of the console, called by every kind of person."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx
from reflex.state import State
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from backend.identity import service as identity
from backend.identity.schemas import AuditFilter, GrantScope, Principal
from backend.platform.resources import Resources
from dashboard.dashboard import app
from dashboard.gateway import requirement_of
from dashboard.guard import BURST, FRAMEWORK_EVENTS, Guard
from tests.dashboard.conftest import SHELL, Connect, SignIn

PERSONAS: dict[str, tuple[tuple[str, str], ...]] = {
    "no role": (),
    "viewer": (("viewer", "TH"),),
    "fleet manager": (("fleet_manager", "TH-10"),),
    "support agent": (("support_agent", "BD-13"),),
    "auditor": (("auditor", "*"),),
    "admin of one country": (("admin", "VN"),),
    "admin": (("admin", "*"),),
}


def _handlers() -> dict[str, Any]:
    return {
        name: registered.handler.fn
        for name, registered in RegistrationContext.get().event_handlers.items()
    }


def _ours() -> list[str]:
    return sorted(
        name for name in _handlers() if ".dashboard___" in name and not name.endswith(".setvar")
    )


def test_every_handler_declares_a_permission_that_exists() -> None:
    known = identity.current_policy().permissions
    undeclared = [name for name in _ours() if requirement_of(_handlers()[name]) is None]
    assert undeclared == []
    unknown = {
        requirement.permission
        for name in _ours()
        if (requirement := requirement_of(_handlers()[name]))
        and requirement.permission not in known
    }
    assert unknown == set()


def test_what_is_neither_ours_nor_needed_by_reflex_is_known_and_refused() -> None:
    others = set(_handlers()) - set(_ours()) - FRAMEWORK_EVENTS
    assert {name for name in others if not name.endswith(".setvar")} == set()
    assert set(_handlers()) >= FRAMEWORK_EVENTS


def test_a_handler_that_changes_anything_counts_as_activity() -> None:
    timers = {
        name.rsplit(".", 1)[1]
        for name in _ours()
        if (requirement := requirement_of(_handlers()[name])) and not requirement.activity
    }
    assert timers <= {"refresh", "look_at_freshness", "tick"}


def test_states_have_no_public_function_besides_their_handlers() -> None:
    """Reflex makes an event of each; this keeps the list reviewed."""
    for state in RegistrationContext.get().base_states.values():
        if not state.__module__.startswith("dashboard."):
            continue
        public = {
            name
            for name, member in vars(state).items()
            if inspect.isfunction(member) and not name.startswith("_")
        }
        assert public <= set(state.event_handlers), f"{state.__name__}: {public}"


def _root(cookie: str | None) -> State:
    root = State(_reflex_internal_init=True)
    headers = {"cookie": f"waypost={cookie}"} if cookie else {}
    data = {"headers": headers, "token": "t", "sid": "s", "ip": "127.0.0.1", "pathname": "/"}
    root.router_data = root._update_router_vars(data, {})
    return root


async def _verdict(cookie: str | None, name: str) -> str:
    """`passes`, `refused` with its words in the frame's notice, or `no session`."""
    closed = []

    async def close(_: rx.App, token: str) -> None:
        closed.append(token)

    root = _root(cookie)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.guard.doors.close_token", close)
        update = await Guard().preprocess(app, root, Event(name=name, payload={}))
    if update is None:
        return "passes"
    if closed:
        assert not update.delta
        return "no session"
    return "refused"


async def test_every_handler_times_every_persona(sign_in: SignIn, resources: Resources) -> None:
    for persona, grants in PERSONAS.items():
        cookie = await sign_in(persona, *grants)
        principal = Principal(
            "user", "user:x", persona, tuple(GrantScope(role, region) for role, region in grants)
        )
        wrong = []
        for name in _handlers():
            requirement = requirement_of(_handlers()[name])
            holds = requirement and identity.may(principal, requirement.permission)
            wanted = "passes" if name in FRAMEWORK_EVENTS or holds else "refused"
            if (got := await _verdict(cookie, name)) != wanted:
                wrong.append((name, wanted, got))
        assert wrong == [], persona


async def test_no_handler_runs_without_a_session_or_after_its_end(
    sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Nan", ("admin", "*"))
    await identity.end_session(resources, identity.session_id_of(cookie), "revoked")
    for gone in (None, "never-was", cookie):
        assert {await _verdict(gone, name) for name in _handlers()} == {"no session"}


async def test_an_unknown_handler_is_refused_and_recorded(
    sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Nan", ("admin", "*"))
    assert await _verdict(cookie, f"{SHELL}.no_such_thing") == "refused"
    async with resources.database.unit_of_work() as session:
        admin = Principal("user", "user:y", "", (GrantScope("admin", "*"),))
        rows = await identity.list_audit(session, admin, AuditFilter(outcome="denied"))
    assert rows[0].object == f"{SHELL}.no_such_thing"


async def test_a_flood_of_events_is_held_back(sign_in: SignIn, resources: Resources) -> None:
    cookie = await sign_in("Nan", ("admin", "*"))
    guard = Guard()
    event = Event(name=f"{SHELL}.enter", payload={})
    answers = await asyncio.gather(
        *(guard.preprocess(app, _root(cookie), event) for _ in range(200))
    )
    let_through = sum(answer is None for answer in answers)
    assert BURST <= let_through < len(answers)


async def test_one_persons_socket_reaches_no_handler_beyond_their_role(
    connect: Connect, sign_in: SignIn
) -> None:
    """Over a real socket: every handler by someone without a role changes nothing but a notice."""
    async with connect(await sign_in("No role")) as console:
        beyond = [name for name in _ours() if not name.endswith(".setvar")][:50]
        for name in beyond:
            await console.send(name, {"form": {}, "code": "x", "text": "x", "token_id": "x"})
        seen = set()
        try:
            while True:
                async with asyncio.timeout(1.0):
                    update = await console.updates.get()
                for state, changed in (update.get("delta") or {}).items():
                    if ".dashboard___" in state:
                        seen |= {(state, var) for var in changed}
        except TimeoutError:
            pass
    assert seen <= {(SHELL, "notice_rx_state_")}


async def test_an_admin_of_one_region_cannot_give_roles_in_another(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Admin VN", ("admin", "VN"))
    await sign_in("Somebody")
    access = SHELL.replace("shell____shell_state", "access____access_state")
    async with connect(cookie) as console:
        await console.send(f"{access}.load")
        person = await _first_person(console, "Somebody")
        event = {
            "name": f"{access}.load",
            "payload": {},
            "router_data": {"pathname": "/admin/access", "query": {"person": person},
                            "asPath": f"/admin/access?person={person}"},
        }  # fmt: skip
        await console.socket.emit("event", event, namespace="/_event")
        await _until(console, lambda delta: delta.get(access, {}).get("chosen_id_rx_state_"))
        form = {"role": "viewer", "region": "TH-10", "reason": "curiosity"}
        await console.send(f"{access}.give", {"form": form})
        assert await console.notice_like("access:write in TH-10")


async def _until(console: Any, found: Callable[[dict[str, Any]], Any]) -> Any:
    async with asyncio.timeout(30):
        while True:
            update = await console.updates.get()
            if hit := found(update.get("delta") or {}):
                return hit


async def _first_person(console: Any, name: str) -> str:
    def rows(delta: dict[str, Any]) -> Any:
        for changed in delta.values():
            for row in changed.get("persons_rx_state_", []):
                if row["name"] == name:
                    return row["id"]
        return None

    return str(await _until(console, rows))
