"""Is a sample's output its own, whatever else is in the batch?"""

from __future__ import annotations

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab

SAMPLES = 16
TOLERANCE = 1e-4
"""Of the largest output; sums in another order differ by about 1e-6 in float32."""


def alone(lab: Lab) -> Finding:
    """At inference the outputs of a batch are those of its samples one by one."""
    x, _ = lab.batch(SAMPLES)
    with lab.executor(lab.new_model()) as executor:
        together = executor.infer(x)
        apart = np.concatenate([executor.infer(sample[None]) for sample in x])
    largest = float(np.abs(together).max())
    error = float(np.abs(together - apart).max()) / (largest or 1.0)
    fix = "a layer mixes the samples of a batch at inference; compare 'cnncli forward' for one input and for two"
    return Finding.of(error <= TOLERANCE, f"{error:.1e} from one by one", f"{TOLERANCE:g} at most", fix)


CHECK = Check("samples stay apart", alone, needs_targets=False)
