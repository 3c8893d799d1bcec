"""Does the input matter to every output, and do all parameters hear of the loss?"""

from __future__ import annotations

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.engine import LogitObjective

SAMPLES = 4
MOST_OUTPUTS = 256
NAMED = 4


def outputs(lab: Lab) -> Finding:
    """d output_k / d input is something other than 0 for every k, for one of some samples at least."""
    x, _ = lab.batch(SAMPLES)
    at = lab.graph.logits(lab.experiment.loss.link)
    shape = lab.graph.shape_of(at)
    count = min(shape[0], MOST_OUTPUTS)
    chosen = np.arange(count) * shape[0] // count
    middle = [size // 2 for size in shape[1:]]
    index = np.array([[output, *middle] for output in chosen])
    reached = np.zeros(count, np.bool_)
    with lab.executor(lab.new_model()) as executor:
        for sample in x:
            many = np.repeat(sample[None], count, axis=0)
            gradient = executor.differentiate(many, LogitObjective(at, index), everything=True).input_gradient
            assert gradient is not None  # everything was asked for
            found = gradient.reshape(count, -1)
            reached |= np.isfinite(found).all(axis=1) & found.any(axis=1)
    measured = f"{np.count_nonzero(reached)} of {count} outputs"
    fix = (
        "something in between lets nothing through: a layer of units that are never active, saturated sigmoids, or "
        "weights of 0; 'cnncli backward --target CLASS' shows where the gradient ends"
    )
    return Finding.of(bool(reached.all()), measured, "all", fix)


def parameters(lab: Lab) -> Finding:
    """The gradient of the loss by every tensor is something other than 0."""
    x, targets = lab.batch()
    with lab.executor(lab.new_model()) as executor:
        gradients = executor.differentiate(x, lab.objective(targets), training=True).gradients
        named = {f"{node}.{key}": array for node, params in gradients.items() for key, array in params.items()}
        silent = [name for name, array in named.items() if not (np.isfinite(array).all() and array.any())]
    more = f" and {len(silent) - NAMED} more" if len(silent) > NAMED else ""
    fix = (
        f"these would never learn: {', '.join(silent[:NAMED])}{more}; look for units that are never active (smaller "
        "initial weights, leaky_relu), or for layers that lead nowhere; 'cnncli backward --train-mode' shows where the "
        "gradient ends"
    )
    return Finding.of(not silent, f"{len(named) - len(silent)} of {len(named)} tensors", "all", fix)


OUTPUTS = Check("input reaches outputs", outputs)
PARAMETERS = Check("loss reaches weights", parameters)
