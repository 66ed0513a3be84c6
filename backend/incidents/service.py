"""The verbs of incidents that other contexts, the console and the worker call."""

from backend.incidents.actions import act_on_incident
from backend.incidents.acts import (
    acknowledge,
    add_note,
    close,
    mitigate,
    open_incident,
    reopen,
    resolve,
    set_kind,
    set_role,
    set_severity,
    snooze,
)
from backend.incidents.blast import blast_radius
from backend.incidents.bulk import act_on_alerts, act_on_incidents
from backend.incidents.errors import NoSuchAlert, NoSuchIncident, StillFiring
from backend.incidents.figures import clock_figures
from backend.incidents.heartbeats import list_heartbeats, remove_heartbeat, save_heartbeat
from backend.incidents.indicators import register_indicator
from backend.incidents.listing import (
    count_open,
    get_incident,
    get_raw_event,
    list_alerts,
    list_incidents,
)
from backend.incidents.merging import merge_incidents, split_alerts
from backend.incidents.quiet import add_maintenance, end_maintenance, list_maintenance
from backend.incidents.review import review_draft, save_review
from backend.incidents.rules import CHANNEL_WORDS
from backend.incidents.runbooks import runbook
from backend.incidents.schedules import (
    call_secret,
    current_shift,
    end_shift,
    list_pages,
    list_schedules,
    remove_schedule,
    save_schedule,
    start_shift,
    who_is_on_call,
)
from backend.incidents.taking import raise_alert
from backend.incidents.touching import incidents_touching
from backend.platform.errors import MovedOn, NotNow

__all__ = [
    "CHANNEL_WORDS",
    "MovedOn",
    "NoSuchAlert",
    "NoSuchIncident",
    "NotNow",
    "StillFiring",
    "acknowledge",
    "act_on_alerts",
    "act_on_incident",
    "act_on_incidents",
    "add_maintenance",
    "add_note",
    "blast_radius",
    "call_secret",
    "clock_figures",
    "close",
    "count_open",
    "current_shift",
    "end_maintenance",
    "end_shift",
    "get_incident",
    "get_raw_event",
    "incidents_touching",
    "list_alerts",
    "list_heartbeats",
    "list_incidents",
    "list_maintenance",
    "list_pages",
    "list_schedules",
    "merge_incidents",
    "mitigate",
    "open_incident",
    "raise_alert",
    "register_indicator",
    "remove_heartbeat",
    "remove_schedule",
    "reopen",
    "resolve",
    "review_draft",
    "runbook",
    "save_heartbeat",
    "save_review",
    "save_schedule",
    "set_kind",
    "set_role",
    "set_severity",
    "snooze",
    "split_alerts",
    "start_shift",
    "who_is_on_call",
]
