"""Runs models: `Executor` for numbers, `record_forward` and `record_backward` for everything that flowed."""

from cnncli.engine.executor import Executor, Result
from cnncli.engine.objective import LogitObjective, LossObjective, Objective, UpstreamObjective
from cnncli.engine.record import Recording, record_backward, record_forward
from cnncli.engine.walk import Tap

__all__ = [
    "Executor",
    "LogitObjective",
    "LossObjective",
    "Objective",
    "Recording",
    "Result",
    "Tap",
    "UpstreamObjective",
    "record_backward",
    "record_forward",
]
