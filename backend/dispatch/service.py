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
from backend.dispatch.affected import orders_between
from backend.dispatch.backlog import CityBacklog, backlog
from backend.dispatch.board import at_risk_from, carriers, last_steps
from backend.dispatch.bulk import act_on_orders
from backend.dispatch.changes import changes_of
from backend.dispatch.cities import (
    city_switches,
    matching_figures,
    paused_cities,
    set_city_switch,
)
from backend.dispatch.contacts import OrderContact, contact_of, contacts_between
from backend.dispatch.customer_links import (
    NoSuchLink,
    follow_order,
    revoke_tracking,
    seen_by_customer,
)
from backend.dispatch.customer_orders import (
    CustomersOrder,
    customers_order,
    order_of_link,
    overdue_orders,
)
from backend.dispatch.decisions import drivers_for_order, why
from backend.dispatch.demo_recipients import received_codes
from backend.dispatch.dispatcher import run_matching
from backend.dispatch.etas import eta_accuracy
from backend.dispatch.evidence import add_evidence, evidence_content, evidence_of
from backend.dispatch.exports import export_orders, note_export
from backend.dispatch.imports import import_orders, import_template, preview_import
from backend.dispatch.intake import create_order, create_orders
from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change
from backend.dispatch.offers import accept_offer, offers_of_driver, offers_of_order, reject_offer
from backend.dispatch.order_changes import change_order
from backend.dispatch.order_figures import OrderFigures, order_figures
from backend.dispatch.order_search import search_orders
from backend.dispatch.orders import (
    count_orders,
    get_order,
    list_orders,
    order_history,
    order_id_of,
    reveal_field,
)
from backend.dispatch.otp import issued_code, mint_otp, resend_otp, verify_otp
from backend.dispatch.performance import driver_performance
from backend.dispatch.proof import override_proof
from backend.dispatch.redispatch import redispatch_area
from backend.dispatch.roster import (
    get_capacity,
    list_documents,
    roster,
    roster_driver,
    set_capacity,
    set_document,
)
from backend.dispatch.routes import edit_route, list_routes, plan_routes, route_of_driver
from backend.dispatch.rules import actions_from
from backend.dispatch.shifts import cancel_shift, list_shifts, plan_shift
from backend.dispatch.sync import sync
from backend.dispatch.tasks import tasks_of_driver
from backend.dispatch.uploads import append_upload, begin_upload, drop_abandoned, upload_state

__all__ = [
    "Circumstances",
    "CityBacklog",
    "CustomersOrder",
    "NoSuchLink",
    "OrderContact",
    "OrderFigures",
    "accept_offer",
    "act_on_orders",
    "actions_from",
    "add_evidence",
    "append_upload",
    "assign_order",
    "at_risk_from",
    "backlog",
    "begin_upload",
    "cancel_order",
    "cancel_shift",
    "carriers",
    "change_order",
    "changes_of",
    "city_switches",
    "contact_of",
    "contacts_between",
    "count_orders",
    "create_order",
    "create_orders",
    "customers_order",
    "driver_performance",
    "drivers_for_order",
    "drop_abandoned",
    "edit_route",
    "eta_accuracy",
    "evidence_content",
    "evidence_of",
    "export_orders",
    "fail_order",
    "flag_order",
    "follow_order",
    "get_capacity",
    "get_order",
    "give_back_order",
    "hold_order",
    "import_orders",
    "import_template",
    "issued_code",
    "last_steps",
    "list_documents",
    "list_orders",
    "list_routes",
    "list_shifts",
    "matching_figures",
    "mint_otp",
    "move",
    "note",
    "note_export",
    "offers_of_driver",
    "offers_of_order",
    "order_figures",
    "order_history",
    "order_id_of",
    "order_of_link",
    "order_to_change",
    "orders_between",
    "overdue_orders",
    "override_proof",
    "paused_cities",
    "plan_routes",
    "plan_shift",
    "preview_import",
    "reassign_order",
    "received_codes",
    "redispatch_area",
    "reject_offer",
    "release_order",
    "resend_otp",
    "reveal_field",
    "revoke_tracking",
    "roster",
    "roster_driver",
    "route_of_driver",
    "run_matching",
    "search_orders",
    "seen_by_customer",
    "send_back_order",
    "set_capacity",
    "set_city_switch",
    "set_document",
    "settle_flag",
    "sync",
    "tasks_of_driver",
    "unassign_order",
    "upload_state",
    "verify_otp",
    "why",
]
