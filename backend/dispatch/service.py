"""The verbs of dispatch that other contexts and the console call."""

from backend.dispatch.acts import (
    assign_order,
    cancel_order,
    fail_order,
    flag_order,
    give_back_order,
    hold_order,
    reassign_order,
    release_order,
    send_back_order,
    settle_flag,
    unassign_order,
)
from backend.dispatch.bulk import act_on_orders
from backend.dispatch.changes import changes_of
from backend.dispatch.exports import export_orders, note_export
from backend.dispatch.imports import import_orders, import_template, preview_import
from backend.dispatch.intake import create_order, create_orders
from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change
from backend.dispatch.order_changes import change_order
from backend.dispatch.orders import (
    count_orders,
    get_order,
    list_orders,
    order_history,
    order_id_of,
    reveal_field,
)
from backend.dispatch.performance import driver_performance
from backend.dispatch.roster import (
    get_capacity,
    list_documents,
    roster,
    roster_driver,
    set_capacity,
    set_document,
)
from backend.dispatch.shifts import cancel_shift, list_shifts, plan_shift

__all__ = [
    "Circumstances",
    "act_on_orders",
    "assign_order",
    "cancel_order",
    "cancel_shift",
    "change_order",
    "changes_of",
    "count_orders",
    "create_order",
    "create_orders",
    "driver_performance",
    "export_orders",
    "fail_order",
    "flag_order",
    "get_capacity",
    "get_order",
    "give_back_order",
    "hold_order",
    "import_orders",
    "import_template",
    "list_documents",
    "list_orders",
    "list_shifts",
    "move",
    "note",
    "note_export",
    "order_history",
    "order_id_of",
    "order_to_change",
    "plan_shift",
    "preview_import",
    "reassign_order",
    "release_order",
    "reveal_field",
    "roster",
    "roster_driver",
    "send_back_order",
    "set_capacity",
    "set_document",
    "settle_flag",
    "unassign_order",
]
