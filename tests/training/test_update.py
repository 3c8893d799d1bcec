"""Clipping, accumulation, the moving average and freezing do what PyTorch does."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from cnncli.engine import Executor, LossObjective
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.losses import LOSSES
from cnncli.training.loop import fit
from cnncli.training.optimizers import SGD, Adam
from cnncli.training.settings import EarlyStopping, TrainSettings
from cnncli.training.stopping import has_stalled
from cnncli.training.update import Updater, frozen_nodes, norm_of, spans_of

from .networks import convnet, dataset, sequence
from .update_cases import CASES, REFERENCE, ours, theirs

TOLERANCES = {"float32": 1e-6, "float64": 1e-12}
TORCH = pytest.param("torch", marks=pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed"))
CROSS_ENTROPY = LOSSES["cross_entropy"]()


@pytest.mark.parametrize("source", ["stored", TORCH])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_two_hundred_steps_are_pytorchs(name: str, dtype: str, source: str) -> None:
    expected = theirs(name, dtype) if source == "torch" else np.load(REFERENCE)[f"{dtype}/{name}"]
    tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(ours(name, dtype), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def test_accumulated_batches_are_one_large_batch() -> None:
    """Without batch norm and dropout: the gradients of 4 batches of 8, averaged, are that of 32."""
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))
    data = dataset(train=100)  # the last step has one batch of 4 for 100 = 3 * 32 + 4
    found = []
    for size, accumulate in ((32, 1), (8, 4)):
        model = Model.create(graph, 5, np.float64)
        settings = TrainSettings(epochs=3, batch_size=size, accumulate=accumulate)
        result = fit(model, data, CROSS_ENTROPY, SGD(lr=0.1), settings, workers=1)
        found.append((model.flat, result.step))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    assert found[0][1] == found[1][1] == 3 * 4


def test_frozen_layers_stay_and_the_others_learn_as_before() -> None:
    model = Model.create(convnet(), 5)
    before = {key: array.copy() for key, array in model.state_dict().items()}
    settings = TrainSettings(epochs=2, batch_size=16, freeze=("conv*", "batch_norm1"))
    fit(model, dataset(), CROSS_ENTROPY, Adam(lr=0.02, weight_decay=0.1), settings, workers=1)
    changed = {key for key, array in model.state_dict().items() if not np.array_equal(array, before[key])}
    statistics = {f"batch_norm1.{key}" for key in ("running_mean", "running_var", "num_batches_tracked")}
    assert changed == {"linear6.weight", "linear6.bias", *statistics}  # as PyTorch's: no parameters


def test_the_pass_back_ends_where_nothing_is_trained() -> None:
    model = Model.create(convnet(), 5, np.float64)
    x, targets = dataset().train.batch(np.arange(16))
    objective = LossObjective.of(CROSS_ENTROPY, model.graph, targets)
    gradients = []
    for frozen in ((), ("conv2d0", "batch_norm1")):
        with Executor(model, workers=1, frozen=frozen) as executor:
            gradients.append(executor.differentiate(x, objective, training=True).flat_gradient.copy())
    start = spans_of(model, frozenset({"conv2d0", "batch_norm1"}))[0].start
    assert not gradients[1][:start].any()
    assert np.array_equal(gradients[0][start:], gradients[1][start:])


def test_frozen_layers_between_others_have_no_part_in_the_norm() -> None:
    """Their gradient is 0, though the way back goes through them; with helpers too."""
    model = Model.create(convnet(), 5, np.float64)
    x, targets = dataset().train.batch(np.arange(40))
    objective = LossObjective.of(CROSS_ENTROPY, model.graph, targets)
    found = []
    for workers in (1, 2):
        with Executor(model, workers=workers, frozen=("batch_norm1",)) as executor:
            executor.start(40)
            gradient = executor.differentiate(x, objective, training=True).flat_gradient.copy()
        first, second = spans_of(model, frozenset({"batch_norm1"}))
        assert not gradient[first.stop : second.start].any()
        assert gradient[first].any()
        found.append(gradient.tobytes())
    assert found[0] == found[1]


def test_spans_are_joined() -> None:
    model = Model.create(convnet(), 5)
    assert spans_of(model, frozenset()) == (slice(0, model.flat.size),)
    inner = spans_of(model, frozenset({"batch_norm1"}))
    assert [(span.start, span.stop) for span in inner] == [(0, 36), (44, model.flat.size)]


def test_what_cannot_be_frozen_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no layer 'convx'"):
        frozen_nodes(TrainSettings(freeze=("convx",)), convnet())
    with pytest.raises(UsageError, match="all parameters are frozen"):
        Updater.new(Model.create(convnet()), SGD(), TrainSettings(freeze=("*",)))


def test_the_norm_of_huge_and_of_broken_gradients() -> None:
    assert norm_of(np.array([3e30, 4e30], np.float32)) == pytest.approx(5e30)
    assert math.isnan(norm_of(np.array([np.nan, 1], np.float32)))
    assert norm_of(np.array([np.inf, 1], np.float32)) == math.inf


@pytest.mark.parametrize(
    ("values", "patience", "min_delta", "expected"),
    [
        ([], 2, 0.0, False),
        ([3.0, 2.0, 2.5], 2, 0.0, False),
        ([3.0, 2.0, 2.5, 2.1], 2, 0.0, True),
        ([3.0, 2.0, 2.0, 2.0], 2, 0.0, True),  # as good is no improvement
        ([3.0, 2.0, 1.95, 1.9], 2, 0.1, True),  # too little
        ([3.0, 2.0, 1.95, 1.85], 2, 0.1, False),  # little by little, but enough together
        ([math.inf, math.inf, 2.0], 2, 0.0, False),
    ],
)
def test_early_stopping(values: list[float], patience: int, min_delta: float, expected: bool) -> None:
    assert has_stalled(values, EarlyStopping(patience=patience, min_delta=min_delta)) == expected
    assert not has_stalled(values, None)


def test_training_stops_early_with_the_best_weights() -> None:
    """A rate of 0 never improves anything."""
    model = Model.create(convnet(), 5)
    settings = TrainSettings(epochs=50, batch_size=16, early_stopping=EarlyStopping(patience=3), monitor="loss")
    frozen = replace(dataset(), test=None)
    result = fit(model, frozen, CROSS_ENTROPY, SGD(lr=0.0), settings, workers=1)
    assert result.stopped_early
    assert result.epochs < 50
    assert result.best is not None
    assert len(result.history) - result.best.epoch >= 3
