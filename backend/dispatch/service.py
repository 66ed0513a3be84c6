"""The verbs of dispatch that other contexts and the console call."""

from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change

__all__ = [
    "Circumstances",
    "move",
    "note",
    "order_to_change",
]
