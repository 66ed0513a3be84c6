"""The verbs of dispatch that other contexts and the console call."""

from backend.dispatch.cities import city_switches, matching_figures, set_city_switch
from backend.dispatch.decisions import drivers_for_order, why
from backend.dispatch.demo_recipients import received_codes
from backend.dispatch.dispatcher import run_matching
from backend.dispatch.etas import eta_accuracy
from backend.dispatch.evidence import add_evidence, evidence_content, evidence_of, order_id_of
from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change
from backend.dispatch.offers import accept_offer, offers_of_driver, offers_of_order, reject_offer
from backend.dispatch.otp import mint_otp, resend_otp, verify_otp
from backend.dispatch.proof import override_proof
from backend.dispatch.redispatch import redispatch_area
from backend.dispatch.routes import edit_route, list_routes, plan_routes, route_of_driver
from backend.dispatch.sync import sync
from backend.dispatch.tasks import tasks_of_driver
from backend.dispatch.uploads import append_upload, begin_upload, drop_abandoned, upload_state

__all__ = [
    "Circumstances",
    "accept_offer",
    "add_evidence",
    "append_upload",
    "begin_upload",
    "city_switches",
    "drivers_for_order",
    "drop_abandoned",
    "edit_route",
    "eta_accuracy",
    "evidence_content",
    "evidence_of",
    "list_routes",
    "matching_figures",
    "mint_otp",
    "move",
    "note",
    "offers_of_driver",
    "offers_of_order",
    "order_id_of",
    "order_to_change",
    "override_proof",
    "plan_routes",
    "received_codes",
    "redispatch_area",
    "reject_offer",
    "resend_otp",
    "route_of_driver",
    "run_matching",
    "set_city_switch",
    "sync",
    "tasks_of_driver",
    "upload_state",
    "verify_otp",
    "why",
]
