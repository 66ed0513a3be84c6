"""Feature flags: definitions, their evaluation, changes and rollouts."""

from backend.flags.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
