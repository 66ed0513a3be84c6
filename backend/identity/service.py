"""The verbs of identity that other contexts and the console call."""

from backend.identity.access import (
    AlreadyHeld,
    grant_role,
    list_grants,
    list_persons,
    list_policies,
    person_now,
    revoke_grant,
)
from backend.identity.audit import (
    active_persons,
    list_audit,
    record,
    record_denial,
    record_denied,
)
from backend.identity.audit import verify as verify_audit
from backend.identity.many import one_by_one
from backend.identity.policy import (
    Denied,
    authorize,
    current_policy,
    may,
    merchant_of,
    scopes,
)
from backend.identity.reveals import TooManyReveals, count_reveals, spend_reveal
from backend.identity.revocations import on_revoked, watch_revocations
from backend.identity.rules import mask, safe_next, session_cookie
from backend.identity.sessions import (
    Visitor,
    begin_session,
    end_session,
    list_sessions,
    principal_of_session,
    revoke_session,
    revoke_sessions_of,
    rotate_session,
    session_id_of,
    session_info,
)
from backend.identity.tokens import (
    IssuedToken,
    issue_api_token,
    issue_device_token,
    list_tokens,
    principal_of_bearer,
    revoke_token,
    stands_behind,
)
from backend.identity.views import list_views, remove_view, save_view

__all__ = [
    "AlreadyHeld",
    "Denied",
    "IssuedToken",
    "TooManyReveals",
    "Visitor",
    "active_persons",
    "authorize",
    "begin_session",
    "count_reveals",
    "current_policy",
    "end_session",
    "grant_role",
    "issue_api_token",
    "issue_device_token",
    "list_audit",
    "list_grants",
    "list_persons",
    "list_policies",
    "list_sessions",
    "list_tokens",
    "list_views",
    "mask",
    "may",
    "merchant_of",
    "on_revoked",
    "one_by_one",
    "person_now",
    "principal_of_bearer",
    "principal_of_session",
    "record",
    "record_denial",
    "record_denied",
    "remove_view",
    "revoke_grant",
    "revoke_session",
    "revoke_sessions_of",
    "revoke_token",
    "rotate_session",
    "safe_next",
    "save_view",
    "scopes",
    "session_cookie",
    "session_id_of",
    "session_info",
    "spend_reveal",
    "stands_behind",
    "verify_audit",
    "watch_revocations",
]
