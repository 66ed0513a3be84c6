"""The verbs of insights that the console, the worker and other contexts call."""

from backend.insights.costs import list_costs, remove_cost, save_cost
from backend.insights.count_repository import drop_expired
from backend.insights.definitions import objectives
from backend.insights.guard import SloGuard, what_is_bad
from backend.insights.minutes import Minutes, failures_by_minute
from backend.insights.overview import overview
from backend.insights.ratings import rate_delivery
from backend.insights.scorecard import scorecard
from backend.insights.slos import burning_slos, slo_status

__all__ = [
    "Minutes",
    "SloGuard",
    "burning_slos",
    "drop_expired",
    "failures_by_minute",
    "list_costs",
    "objectives",
    "overview",
    "rate_delivery",
    "remove_cost",
    "save_cost",
    "scorecard",
    "slo_status",
    "what_is_bad",
]
