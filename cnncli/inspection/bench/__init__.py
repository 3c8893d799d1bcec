"""How fast a network runs, and where the time goes.

`measure` times a step as it is, `layer_costs` what each layer takes of it, `peak_memory` tells what all of it took.
"""

from cnncli.inspection.bench.layers import layer_costs
from cnncli.inspection.bench.memory import peak_memory
from cnncli.inspection.bench.report import Bench, Cost, LayerCosts, Speed, Spread
from cnncli.inspection.bench.speed import measure

__all__ = ["Bench", "Cost", "LayerCosts", "Speed", "Spread", "layer_costs", "measure", "peak_memory"]
