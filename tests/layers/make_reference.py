"""Writes reference.npz: what PyTorch computes for every case, one after the other in one array a case.

Run as `python -m tests.layers.make_reference`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.layers.cases import CASES
from tests.layers.torch_layers import torch_values

FILE = Path(__file__).with_name("reference.npz")


def main() -> None:
    arrays = {
        case.name: np.concatenate([array.ravel() for array in torch_values(case).values()]).astype(np.float32)
        for case in CASES.values()
        if not case.is_random
    }
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
