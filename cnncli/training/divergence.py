"""Where numbers stopped being finite, and what it takes to look at it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Split
from cnncli.data.loading import Batch, in_order
from cnncli.engine import Executor, LossObjective
from cnncli.engine.names import ACTIVATION, GRADIENT, PARAMETER, PARAMETER_GRADIENT, ArrayName
from cnncli.errors import CnncliError, DataError, DivergedError, OutputError
from cnncli.files import write_atomic
from cnncli.graph import INPUT, Model
from cnncli.training.checkpoint import save_weights
from cnncli.training.run_directory import RunDirectory

Array = NDArray[Any]

BATCH = 256
"""Samples that are looked at together."""


@dataclass
class BadStepError(Exception):
    """A batch with which a number is not finite. The model is as it was before."""

    batch: Batch
    objective: LossObjective
    loss: float
    layer: str | None  # whose sums over the batch are not finite


def first_bad_array(executor: Executor, x: Array, objective: LossObjective, step: int) -> ArrayName | None:
    """The first array of a training step on x that is not finite, in the order in which they are computed.

    That is: the parameters, the input, forward through the network, back through it, the gradients of the parameters.
    None if all are finite.
    """
    model = executor.model
    parameter = first_bad_tensor(model)
    if parameter is not None:
        return ArrayName(PARAMETER, *parameter.rsplit(".", 1))
    bad: dict[tuple[str, str], None] = {}

    def look(name: str, what: str, array: Array, samples: slice) -> None:
        if not np.isfinite(array).all():
            bad[what, name] = None

    result = executor.differentiate(x, objective, training=True, step=step, taps=[look])
    order = (INPUT, *(node.name for node in model.graph.nodes))
    for kind, names in ((ACTIVATION, order), (GRADIENT, order[::-1])):
        for name in names:
            if (kind, name) in bad:
                return ArrayName(kind, name)
    for name, params in result.gradients.items():
        for key, gradient in params.items():
            if not np.isfinite(gradient).all():
                return ArrayName(PARAMETER_GRADIENT, name, key)
    return None


def bad_totals(totals: Mapping[str, Array]) -> str | None:
    """The first layer whose sums over the batch, for its running statistics, are not finite; None if all are."""
    return next((name for name, total in totals.items() if not np.isfinite(total).all()), None)


def require_finite_inputs(split: Split, name: str) -> None:
    """Raises DataError, naming them, if samples of a split hold a number that is not finite."""
    for batch in in_order(split, BATCH):
        bad = bad_samples(batch.x)
        if len(bad):
            raise not_finite(batch.indices[bad], name)


def not_finite(samples: Array, split: str) -> DataError:
    """What to say of samples with a number that is not finite."""
    numbers = ", ".join(f"{split}:{number}" for number in sorted(samples.tolist())[:10])
    more = ", ..." if len(samples) > 10 else ""
    return DataError(
        f"the data hold a number that is not finite, in {numbers}{more}; 'cnncli data check' names all such samples:"
        " remove or replace them"
    )


def in_words(array: ArrayName) -> str:
    """What an array is, to follow "the first number that is not finite is in"."""
    whole = f"{array.node}.{array.key}" if array.key else array.node
    return {
        ACTIVATION: f"the output of {whole}",
        GRADIENT: f"the gradient of the output of {whole}",
        PARAMETER: f"the parameter {whole}",
        PARAMETER_GRADIENT: f"the gradient of the parameter {whole}",
    }[array.kind]


def bad_samples(x: Array) -> Array:
    """The indices of the samples that hold a number that is not finite."""
    return np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))


def first_bad_tensor(model: Model) -> str | None:
    """The first parameter or buffer that is not finite, as `<node>.<key>`; None if all are."""
    return next((key for key, array in model.state_dict().items() if not np.isfinite(array).all()), None)


def keep(folder: Path, model: Model, x: Array, targets: Array, step: int) -> str:
    """Writes the weights and the batch of a step that failed, and returns the command that makes it again.

    `step` is what selects the dropout masks, counted from 0. Raises OutputError.
    """
    weights, batch = folder / "weights.safetensors", folder / "batch.npz"

    def content(file: BinaryIO) -> None:
        np.savez(file, allow_pickle=False, inputs=x, targets=targets)

    write_atomic(batch, content)
    save_weights(weights, model, {"step": step})
    run, weights_, batch_ = (shlex.quote(str(path)) for path in (folder.parent, weights, batch))
    return f"cnncli backward --run {run} --checkpoint {weights_} --input {batch_} --train-mode --step {step + 1}"


@dataclass(frozen=True)
class Moment:
    """Where a training was when it failed, and how to say so."""

    run: RunDirectory | None
    epochs: int  # finished
    step: int  # updates made
    lr: float  # of the optimizer
    unwatched: str | None  # why the last frame of what was watched is missing

    def failed(self, executor: Executor, bad: BadStepError, count: int) -> CnncliError:
        """The update after `step` met a number that is not finite; `count` selects its dropout masks."""
        batch, loss = bad.batch, bad.loss
        found = first_bad_array(executor, batch.x, bad.objective, count)
        if found == ArrayName(ACTIVATION, INPUT):
            return not_finite(batch.indices[bad_samples(batch.x)], "train")
        if found is not None:
            where = f"{in_words(found)} is not finite"
        elif math.isfinite(loss):
            where = f"a sum over the batch, for the running statistics of {bad.layer}, is not finite"
        else:
            where = f"the loss is {loss}"
        return self.diverged(f"in step {self.step + 1} {where}", self._replay(executor.model, batch, count))

    def diverged(self, what: str, replay: str = "") -> DivergedError:
        """Says what happened, and what may help."""
        if self.step == 0:
            fix = "that is before the first update: look for huge numbers in the data and the initial weights"
        else:
            fix = f"try a lower learning rate: --set optimizer.lr={min(self.lr / 10, 0.01):g} (it was {self.lr:g})"
        kept = "" if self.run is None else f"; the weights of the last checkpoint are in {self.run.last}"
        if self.unwatched is not None:
            kept += f"; the last frame is missing: {self.unwatched}"
        return DivergedError(f"training diverged in epoch {self.epochs + 1}: {what}; {fix}{kept}{replay}")

    def _replay(self, model: Model, batch: Batch, count: int) -> str:
        if self.run is None:
            return ""
        try:
            command = keep(self.run.diverged, model, batch.x, batch.targets, count)
        except OutputError as error:  # which must not hide the divergence
            return f"; the step cannot be kept: {error}"
        return f"\nlook at the step itself:  {command}"
