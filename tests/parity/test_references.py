"""The shipped networks against PyTorch's stored values: needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .cases import CONFIGS, REFERENCES, case, ours
from .fingerprints import agree, fingerprint


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_networks(path: Path, training: bool) -> None:
    key = f"{path.stem}/{'training' if training else 'inference'}"
    with np.load(REFERENCES) as stored:
        names, *numbers = (stored[f"{key}/{what}"] for what in ("names", "fingerprints", "allowed"))
    found = ours(case(path), "float64", training)
    wrong = [name for name, *reference in zip(names, *numbers, strict=True) if not agree(found[name], *reference)]
    assert not wrong


def test_a_fingerprint_sees_one_wrong_element() -> None:
    tensor = np.random.default_rng(0).normal(size=(8, 5, 3, 3))
    reference = fingerprint(tensor)
    assert agree(tensor, reference, 1e-11)
    tensor[3, 2, 1, 1] *= 1 + 1e-6
    assert not agree(tensor, reference, 1e-11)
