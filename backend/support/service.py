"""The verbs of support that the console, endpoints and other contexts call."""

from backend.support.case_acts import act_on_case
from backend.support.cases import case_of
from backend.support.finding import search

__all__ = ["act_on_case", "case_of", "search"]
