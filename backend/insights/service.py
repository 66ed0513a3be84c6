"""The verbs of insights that the console, the worker and other contexts call."""

from backend.insights.costs import list_costs, remove_cost, save_cost
from backend.insights.count_repository import drop_expired
from backend.insights.overview import overview
from backend.insights.scorecard import scorecard
from backend.insights.slos import burning_slos, slo_status

__all__ = [
    "burning_slos",
    "drop_expired",
    "list_costs",
    "overview",
    "remove_cost",
    "save_cost",
    "scorecard",
    "slo_status",
]
