"""The arithmetic of one number: the products a convolution adds up, the gradients that meet in a pixel or a weight.

Everything is computed in double precision, from what the engine recorded and from the layers run alone; what the terms
add up to is compared with what the engine computed, and a difference is a bug.
"""

from cnncli.inspection.trace.explain import explain, number_of
from cnncli.inspection.trace.field import field_of
from cnncli.inspection.trace.question import Question
from cnncli.inspection.trace.result import (
    ByHand,
    Field,
    Flow,
    Flows,
    LossAccount,
    Maximum,
    Number,
    Sum,
    Trace,
    Window,
    checked,
)
from cnncli.inspection.trace.scene import Scene

__all__ = [
    "ByHand",
    "Field",
    "Flow",
    "Flows",
    "LossAccount",
    "Maximum",
    "Number",
    "Question",
    "Scene",
    "Sum",
    "Trace",
    "Window",
    "checked",
    "explain",
    "field_of",
    "number_of",
]
