from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, record_forward
from cnncli.graph import INPUT, Model
from cnncli.inspection import samples as module
from cnncli.inspection.samples import batch_size, batches
from tests.inspection.lots import samples
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

GRAPH = chain(INPUT_SHAPE, *CHAIN)
X = np.random.default_rng(0).normal(size=(23, *INPUT_SHAPE))
TARGETS = np.arange(23) % 3


@pytest.fixture(scope="module")
def executor() -> Executor:
    with Executor(Model.create(GRAPH, seed=3, dtype=np.float64), workers=1) as executor:
        yield executor


@pytest.mark.parametrize("names", [["conv1"], ["linear1"], [INPUT], ["relu1", "pool1"], ["linear1", INPUT]])
def test_batches_give_every_sample_once_with_what_the_network_makes_of_it(
    executor: Executor, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_BATCH", 5)
    told: list[tuple[int, int]] = []
    found = list(batches(executor, samples(X, TARGETS), names, lambda done, total: told.append((done, total))))
    assert [len(batch.indices) for batch in found] == [5, 5, 5, 5, 3]
    assert np.array_equal(np.concatenate([batch.indices for batch in found]), np.arange(23))
    assert np.array_equal(np.concatenate([batch.targets for batch in found]), TARGETS)
    assert told == [(5, 23), (10, 23), (15, 23), (20, 23), (23, 23)]
    whole = record_forward(executor, X).activations
    for name in names:
        values = np.concatenate([batch.values[name] for batch in found])
        np.testing.assert_allclose(values, whole[name], rtol=1e-12, atol=1e-12)


def test_samples_without_targets_have_none(executor: Executor) -> None:
    (batch,) = batches(executor, samples(X), ["linear1"])
    assert batch.targets is None


def test_batches_of_large_values_are_small() -> None:
    wide = chain((1, 512, 512), ("conv", "conv2d", {"out_channels": 64, "kernel_size": 3, "padding": 1}))
    assert batch_size(GRAPH, ["conv1"]) == module.LARGEST_BATCH
    assert batch_size(wide, ["conv"]) == 1
    assert batch_size(wide, []) == module.BATCH_BYTES // (4 * 512 * 512)
