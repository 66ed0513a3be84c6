"""What a replay did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from backend.simulation.doorways import Tally


@dataclass(slots=True)
class TraceReport:
    """One trace: its driver and what became of its fixes."""

    name: str
    driver: str
    driver_id: str
    read: int
    tally: Tally = field(default_factory=Tally)
    unsent: int = 0
    trouble: str | None = None


@dataclass(slots=True)
class ReplayReport:
    """All traces of one replay."""

    traces: list[TraceReport] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    retries: int = 0
    seconds: float = 0.0

    @property
    def tally(self) -> Tally:
        """The fixes of all traces together."""
        whole = Tally()
        for trace in self.traces:
            whole.add(trace.tally)
        return whole

    @property
    def unsent(self) -> int:
        """Fixes that the server never answered for."""
        return sum(trace.unsent for trace in self.traces)

    @property
    def failed(self) -> bool:
        """Whether something that should have been sent was not."""
        return bool(self.unsent or self.unreadable or not self.tally.sent)

    def as_dict(self) -> dict[str, Any]:
        """The counts, as printed by `--json`."""
        whole = self.tally
        return {
            **_counts(whole),
            "unsent": self.unsent,
            "skipped": dict(self.skipped),
            "unreadable": self.unreadable,
            "retries": self.retries,
            "seconds": round(self.seconds, 2),
            "fixes_per_second": round(whole.sent / self.seconds, 1) if self.seconds else None,
            "traces": [
                {
                    "name": trace.name,
                    "driver": trace.driver,
                    "driver_id": trace.driver_id,
                    "read": trace.read,
                    **_counts(trace.tally),
                    "unsent": trace.unsent,
                    "trouble": trace.trouble,
                }
                for trace in self.traces
            ],
        }

    def in_words(self) -> str:
        """The counts in a few lines."""
        whole = self.tally
        sent = f"{whole.sent} fixes of {len(self.traces)} traces sent in {self.seconds:.1f} s"
        made = f"{whole.accepted} accepted, {whole.duplicate} duplicate"
        lines = [f"{sent}: {made}, {whole.refused.total()} refused"]
        lines += [f"  refused {count}: {code}" for code, count in whole.refused.most_common()]
        lines += [f"  flagged {count}: {code}" for code, count in whole.flagged.most_common()]
        lines += [f"  skipped {count}: {code}" for code, count in self.skipped.most_common()]
        lines += [f"  unreadable: {reason}" for reason in self.unreadable.values()]
        if self.retries:
            lines.append(f"  {self.retries} requests were sent again")
        if self.unsent:
            troubles = {trace.trouble for trace in self.traces if trace.trouble}
            lines.append(f"  unsent {self.unsent}: {'; '.join(sorted(troubles))}")
        drivers = [f"{trace.driver} ({trace.name})" for trace in self.traces[:8]]
        more = len(self.traces) - len(drivers)
        lines.append("Drivers: " + ", ".join(drivers) + (f" and {more} more" if more > 0 else ""))
        return "\n".join(lines)


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "sent": tally.sent,
        "accepted": tally.accepted,
        "duplicate": tally.duplicate,
        "refused": dict(tally.refused),
        "flagged": dict(tally.flagged),
    }
