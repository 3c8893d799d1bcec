"""Activations, gradients and running statistics equal PyTorch's, for the shipped and for random networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncli.losses import LOSSES

pytest.importorskip("torch", reason="PyTorch is not installed: the stored reference values serve")

from .cases import CONFIGS, Case, case, make_case, ours
from .compare import wrong_tensors
from .random_graphs import random_graph

both_modes = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def check(case: Case, dtype: str, training: bool) -> None:
    found = ours(case, dtype, training)
    assert len(found) > 2 * len(case.graph.nodes)
    assert wrong_tensors(case, found, dtype, training) == {}


@both_modes
@both_dtypes
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_networks(path: Path, dtype: str, training: bool) -> None:
    check(case(path), dtype, training)


@both_modes
@both_dtypes
@pytest.mark.parametrize("seed", range(30))
def test_random_networks(seed: int, dtype: str, training: bool) -> None:
    losses = list(LOSSES.values())
    check(make_case(random_graph(seed), losses[seed % len(losses)]()), dtype, training)
