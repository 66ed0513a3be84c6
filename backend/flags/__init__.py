"""Feature flags: definitions, their evaluation, changes and rollouts."""

from backend.flags.evaluation import Evaluation, FlagSet, evaluate

__all__ = ["Evaluation", "FlagSet", "evaluate"]
