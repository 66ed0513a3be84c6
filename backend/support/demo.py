"""Fills in the demo's business hours, macros and first escalations, from the file beside this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.platform import clock
from backend.regions import service as regions
from backend.support import service
from backend.support.schemas import EscalationIn
from backend.support.settings_schemas import CalendarIn, MacroIn

_FILE = Path(__file__).with_name("demo.json")


async def seed(session: AsyncSession, principal: Principal) -> int:
    """Add what is missing of a fresh demo; answers how much.

    Where there are calendars already nothing is touched: what a lead changed stays across starts.
    """
    if await service.list_calendars(session, principal):
        return 0
    content = orjson.loads(_FILE.read_bytes())
    codes = await regions.region_codes(session)
    added = 0
    for calendar in content["calendars"]:
        if calendar["region"] in codes:
            await service.save_calendar(session, principal, _calendar(calendar))
            added += 1
    for macro in content["macros"]:
        await service.save_macro(session, principal, MacroIn.model_validate(macro))
        added += 1
    for escalation in content["escalations"]:
        if escalation["region"] in codes:
            asked = EscalationIn.model_validate({**escalation, "on_behalf": "us"})
            await service.open_escalation(session, principal, asked)
            added += 1
    return added


def _calendar(written: dict[str, Any]) -> CalendarIn:
    """A calendar with the holidays of this year and the next."""
    shifts = [{"begins": begins, "ends": ends} for begins, ends in written["shifts"]]
    year = clock.now().year
    return CalendarIn.model_validate(
        {
            "region": written["region"],
            "zone": written["zone"],
            "week": [[] if day in written["weekend"] else shifts for day in range(7)],
            "holidays": [
                {"on": f"{each}-{day}", "name": name}
                for each in (year, year + 1)
                for day, name in written["holidays"].items()
            ],
        }
    )
