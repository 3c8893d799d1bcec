"""What is differentiated: a layer alone, the loss alone, the whole network. All three look alike to the oracles.

Layers are called one by one here, with no memory shared between them, which makes this walk independent of the executor
whose gradients it judges.
"""

from cnncli.inspection.gradcheck.functions.function import Evaluation, Function, is_input
from cnncli.inspection.gradcheck.functions.layer import LayerFunction, input_names
from cnncli.inspection.gradcheck.functions.loss import LossFunction
from cnncli.inspection.gradcheck.functions.network import NetworkFunction

__all__ = [
    "Evaluation",
    "Function",
    "LayerFunction",
    "LossFunction",
    "NetworkFunction",
    "input_names",
    "is_input",
]
