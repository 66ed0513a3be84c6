"""Pure decisions about incidents: states, the order of their moments, grouping and clocks."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How much an incident hurts; SEV1 is worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class IncidentState(StrEnum):
    """Where an incident stands; `merged` ended in another one."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"


class AlertStatus(StrEnum):
    """Whether the condition behind an alert holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """Whether an incident counts in the figures: tests and false positives do not."""

    REAL = "real"
    TEST = "test"
    FALSE_POSITIVE = "false_positive"


class Role(StrEnum):
    """What somebody does in an incident."""

    COMMANDER = "commander"
    RESPONDER = "responder"
    COMMUNICATOR = "communicator"


class Channel(StrEnum):
    """How a person on call is told; the console shows, sounds and notifies the desktop."""

    CONSOLE = "console"
    EMAIL = "email"
    WEBHOOK = "webhook"


OPEN = (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED)
