"""The verbs of feature flags that the console, endpoints and other contexts call."""

from backend.flags.changes import (
    NotASecondPerson,
    approve_change,
    cancel_change,
    list_changes,
    reject_change,
)
from backend.flags.delivery_facts import published, published_version, report_outcomes
from backend.flags.editing import (
    NoSuchFlag,
    archive_flag,
    give_kill_reason,
    kill_flag,
    preview_change,
    restore_version,
    save_flag,
    schedule_change,
)
from backend.flags.exchange import export_flags, import_flags
from backend.flags.explaining import explain
from backend.flags.guard import Guard, register_guard
from backend.flags.in_force import FlagChange, FlagInForce, flags_changed, flags_in_force
from backend.flags.plans import Stale
from backend.flags.promotion import preview_promotion, promote_flag
from backend.flags.reach_views import OutcomeMinute, exposures, outcome_minutes
from backend.flags.rollouts import pause_rollout, resume_rollout, start_rollout, stop_rollout
from backend.flags.rules import share_words
from backend.flags.segments import list_segments, save_segment
from backend.flags.views import exposure, flag_versions, get_flag, list_flags, stale_flags

__all__ = [
    "FlagChange",
    "FlagInForce",
    "Guard",
    "NoSuchFlag",
    "NotASecondPerson",
    "OutcomeMinute",
    "Stale",
    "approve_change",
    "archive_flag",
    "cancel_change",
    "explain",
    "export_flags",
    "exposure",
    "exposures",
    "flag_versions",
    "flags_changed",
    "flags_in_force",
    "get_flag",
    "give_kill_reason",
    "import_flags",
    "kill_flag",
    "list_changes",
    "list_flags",
    "list_segments",
    "outcome_minutes",
    "pause_rollout",
    "preview_change",
    "preview_promotion",
    "promote_flag",
    "published",
    "published_version",
    "register_guard",
    "reject_change",
    "report_outcomes",
    "restore_version",
    "resume_rollout",
    "save_flag",
    "save_segment",
    "schedule_change",
    "share_words",
    "stale_flags",
    "start_rollout",
    "stop_rollout",
]
