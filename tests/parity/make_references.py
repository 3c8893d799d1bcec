"""Writes references.npz: fingerprints of everything PyTorch computes for the shipped networks, in float64.

python -m tests.parity.make_references
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import CONFIGS, REFERENCES, case
from .compare import allowances
from .fingerprints import fingerprint


def main() -> None:
    """Makes the file anew."""
    found: dict[str, Any] = {}
    for path in CONFIGS:
        for training in (False, True):
            network = case(path)
            tensors = allowances(network, "float64", training)
            names = sorted(tensors)
            key = f"{path.stem}/{'training' if training else 'inference'}"
            found[f"{key}/names"] = np.array(names)
            found[f"{key}/fingerprints"] = np.stack([fingerprint(tensors[name][0]) for name in names])
            found[f"{key}/allowed"] = np.array([tensors[name][1] for name in names])
    np.savez_compressed(REFERENCES, **found)


if __name__ == "__main__":
    main()
