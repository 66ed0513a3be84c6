"""The verbs of dispatch that other contexts and the console call."""

from backend.dispatch.cities import city_switches, matching_figures, set_city_switch
from backend.dispatch.decisions import drivers_for_order, why
from backend.dispatch.dispatcher import run_matching
from backend.dispatch.etas import eta_accuracy
from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change
from backend.dispatch.offers import accept_offer, offers_of_driver, offers_of_order, reject_offer
from backend.dispatch.redispatch import redispatch_area
from backend.dispatch.routes import edit_route, list_routes, plan_routes, route_of_driver

__all__ = [
    "Circumstances",
    "accept_offer",
    "city_switches",
    "drivers_for_order",
    "edit_route",
    "eta_accuracy",
    "list_routes",
    "matching_figures",
    "move",
    "note",
    "offers_of_driver",
    "offers_of_order",
    "order_to_change",
    "plan_routes",
    "redispatch_area",
    "reject_offer",
    "route_of_driver",
    "run_matching",
    "set_city_switch",
    "why",
]
