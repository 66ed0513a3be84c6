"""Two agents on one escalation: they see each other, and neither loses what they write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backend.identity.service import Denied
from backend.platform import clock
from backend.platform.resources import Resources
from backend.support import looking, service, sweeps
from backend.support.rules import State
from backend.support.schemas import Draft

from .world import AGENT, MANAGER, OTHER, answer, do, look, opened


async def draft(resources: Resources, who: Any, row: Any) -> Draft | None:
    found: Draft | None = await do(resources, service.draft_of, who, row.id)
    return found


async def test_two_agents_on_one_escalation_keep_their_drafts(resources: Resources) -> None:
    row = await opened(resources)
    seen = {"seen_version": row.version}
    await do(resources, service.save_draft, AGENT, row.id, "Ann begins to", **seen)
    await do(resources, service.save_draft, OTHER, row.id, "Ben writes too", **seen)
    await do(resources, service.save_draft, AGENT, row.id, "Ann begins to write", **seen)
    mine, theirs = await draft(resources, AGENT, row), await draft(resources, OTHER, row)
    assert mine is not None
    assert theirs is not None
    assert (mine.text, theirs.text) == ("Ann begins to write", "Ben writes too")
    assert not mine.outdated

    # Ben is quicker. His draft is gone with his answer, Ann's stays and says so.
    answered = await answer(resources, row, OTHER, text="Ben writes too, and sends it.")
    assert await draft(resources, OTHER, row) is None
    mine = await draft(resources, AGENT, row)
    assert mine is not None
    assert (mine.text, mine.outdated, mine.outdated_by) == ("Ann begins to write", True, "Ben")

    # What Ann saw is no longer so: her answer does not go out over Ben's, and her draft stays.
    with pytest.raises(service.MovedOn, match="Ben answered at"):
        await answer(resources, row, AGENT, text=mine.text)
    assert (await draft(resources, AGENT, row)) == mine
    await answer(resources, answered, AGENT, text=mine.text)
    assert await draft(resources, AGENT, row) is None
    said = (await look(resources, row.id)).conversation
    assert [each.name for each in said] == ["Customer", "Ben", "Ann"]


async def test_a_draft_outlives_every_other_change(resources: Resources) -> None:
    row = await opened(resources)
    await do(resources, service.save_draft, AGENT, row.id, "Half a", seen_version=row.version)
    row = await do(resources, service.take, OTHER, row.id, seen_version=row.version)
    await do(resources, service.add_note, OTHER, row.id, "I called them.")
    kept = await draft(resources, AGENT, row)
    assert kept is not None
    assert (kept.text, kept.outdated) == ("Half a", False)
    await do(resources, service.save_draft, AGENT, row.id, "  ", seen_version=row.version)
    assert await draft(resources, AGENT, row) is None


async def test_a_draft_is_forgotten_a_day_after_its_ticket_was_closed(
    resources: Resources,
) -> None:
    gone, fresh, late, still_open = [await opened(resources) for _ in range(4)]
    for row in (gone, fresh, late, still_open):
        await do(resources, service.save_draft, AGENT, row.id, "Half a", seen_version=row.version)
    for row in (gone, fresh, late):
        await do(resources, service.set_state, AGENT, row.id, State.CLOSED, seen_version=1)
    now = clock.now()
    at = {"gone": gone.id, "fresh": fresh.id, "day": now - timedelta(days=1, seconds=1)}
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE support_draft SET saved_at = :day WHERE escalation_id <> :fresh"), at
        )
        await session.execute(
            text("UPDATE support_escalation SET closed_at = :day WHERE id IN (:gone, :fresh)"), at
        )
    assert await sweeps.drop_drafts(resources.database, now) == 1
    assert await draft(resources, AGENT, gone) is None
    for row in (fresh, late, still_open):
        assert await draft(resources, AGENT, row) is not None
    assert await sweeps.drop_drafts(resources.database, now) == 0


async def test_they_see_each_other_and_who_is_writing(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await opened(resources)
    assert await do(resources, service.look_at, AGENT, row.id) == []
    [ann] = await do(resources, service.look_at, OTHER, row.id, typing=True)
    assert (ann.name, ann.typing) == ("Ann", False)
    [ben] = await do(resources, service.presence, AGENT, row.id)
    assert (ben.name, ben.typing) == ("Ben", True)
    [again] = await do(resources, service.look_at, AGENT, row.id)
    assert again.since == ben.since
    assert {each.name for each in (await look(resources, row.id, MANAGER)).viewers} == {
        "Ann", "Ben"
    }  # fmt: skip
    await do(resources, service.leave, OTHER, row.id)
    assert await do(resources, service.presence, AGENT, row.id) == []
    # Who says nothing more is gone, should they not say goodbye.
    monkeypatch.setattr(looking, "SEEN_FOR", -looking.SEEN_FOR)
    assert await do(resources, service.presence, OTHER, row.id) == []


async def test_who_may_not_write_keeps_no_draft(resources: Resources) -> None:
    row = await opened(resources)
    with pytest.raises(Denied):
        await do(resources, service.save_draft, MANAGER, row.id, "x", seen_version=row.version)
