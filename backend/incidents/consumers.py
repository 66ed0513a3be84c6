"""What incidents does when something else tells of trouble."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.incidents.rules import Severity
from backend.incidents.schemas import AlertIn
from backend.incidents.taking import raise_alert
from backend.platform.consumers import Handler, Received

GROUP = "incidents"
INTEGRATION = "waypost"


async def _rollout_halted(session: AsyncSession, event: Received) -> None:
    """A guarded rollout stopped itself: an incident with the reason, the flag and its step."""
    flag, environment = event.data["flag"], event.data["environment"]
    slo = event.data.get("slo")
    await raise_alert(
        session,
        AlertIn(
            integration=INTEGRATION,
            key=f"rollout-halted:flag={flag},environment={environment},event={event.id}",
            title=f"Rollout of {flag} halted: {event.data['reason']}"[:300],
            severity=Severity.SEV3,
            service="flags",
            region=event.data.get("region") or event.region or "*",
            started_at=event.at,
            labels={
                "flag": flag,
                "environment": environment,
                "step": str(event.data.get("step", "")),
                **({"slo": slo} if slo else {}),
                **({"trace_id": event.trace_id} if event.trace_id else {}),
            },
        ),
    )


HANDLERS: dict[str, Handler] = {"flag.rollout_halted": _rollout_halted}
