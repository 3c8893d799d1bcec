"""What the checks share: the network drawn anew, some of its data, and short trainings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.session import Session
from cnncli.config import Experiment
from cnncli.data.dataset import Dataset, Split
from cnncli.engine import Executor, LossObjective
from cnncli.graph import Graph, Model
from cnncli.losses import LOSSES, Loss
from cnncli.training.loop import fit
from cnncli.training.metrics.baseline import Baseline, baseline_of
from cnncli.training.result import TrainResult

Array = NDArray[Any]

LARGEST_BATCH = 64
"""Samples in the batches that the checks make themselves."""
HELD_OUT = 0.2
"""Share of the training split that stands in for a val split where there is none."""
MOST_VALIDATED = 1000
"""Samples."""


@dataclass(frozen=True, eq=False)
class Lab:
    """A session whose weights are left alone: every check begins with weights that are drawn anew."""

    session: Session

    @property
    def experiment(self) -> Experiment:
        return self.session.experiment

    @property
    def graph(self) -> Graph:
        return self.session.graph

    @property
    def plain_loss(self) -> Loss:
        """The configured one without its options, which all keep a network from being quite sure."""
        return LOSSES[self.experiment.loss.type]()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what the loss reads of a sample."""
        return self.graph.shape_of(self.graph.logits(self.experiment.loss.link))

    def new_model(self) -> Model:
        """As a training begins, from the configured seed."""
        return Model.create(self.graph, self.experiment.seed, self.session.model.flat.dtype)

    def executor(self, model: Model, workers: int | None = None) -> Executor:
        """To be used as a context manager."""
        return Executor(model, workers=workers or self.session.workers, seed=self.experiment.seed)

    def objective(self, targets: Array, loss: Loss | None = None) -> LossObjective:
        """The loss of these targets, as a data set has them."""
        return LossObjective.of(loss or self.experiment.loss, self.graph, targets)

    def baseline(self, targets: Array) -> Baseline:
        """What guessing comes to on these targets, as a data set has them."""
        return baseline_of(self.experiment.loss, targets, self.shape)

    @cached_property
    def _splits(self) -> tuple[Split, Split]:
        """Training samples in random order, and samples to judge by, which are not among them."""
        dataset, rng = self.session.dataset, np.random.default_rng(self.experiment.seed)
        order = rng.permutation(len(dataset.train))
        if dataset.val is not None:
            chosen = rng.permutation(len(dataset.val))[:MOST_VALIDATED]
            return dataset.train.take(order), dataset.val.take(chosen)
        held_out = min(MOST_VALIDATED, int(HELD_OUT * len(order)))
        return dataset.train.take(order[held_out:]), dataset.train.take(order[:held_out])

    @property
    def train(self) -> Split:
        """Training samples in random order."""
        return self._splits[0]

    @property
    def val(self) -> Split:
        """Up to 1000 samples that are not among them; there may be none in a tiny data set."""
        return self._splits[1]

    def batch(self, count: int = LARGEST_BATCH) -> tuple[Array, Array]:
        """The first training samples, not augmented, and their targets; no more than a batch of the training has."""
        count = min(count, self.experiment.train.batch_size, len(self.train))
        x, targets = self.train.batch(np.arange(count))
        return x.astype(self.session.model.flat.dtype, copy=False), targets

    @cached_property
    def samples_per_second(self) -> float:
        """Of training, about."""
        x, targets = self.batch()
        with self.executor(self.new_model()) as executor:
            seconds = []
            for step in range(4):
                started = perf_counter()
                executor.differentiate(x, self.objective(targets), training=True, step=step)
                seconds.append(perf_counter() - started)
        return len(x) / min(seconds)

    def dataset(self, train: Split, val: Split) -> Dataset:
        """These alone; the samples augmented and visited as configured."""
        return replace(self.session.dataset, train=train, val=val if len(val) else None, test=None)

    def fit(
        self, model: Model, dataset: Dataset, changes: dict[str, Any], *, loss: Loss | None = None, **options: Any
    ) -> TrainResult:
        """Trains the model with the configured optimizer; `changes` are made to the `train` section, `loss` is by
        default the configured one, `options` are those of `fit`."""
        return fit(
            model,
            dataset,
            loss or self.experiment.loss,
            self.experiment.optimizer,
            self.experiment.train.model_copy(update={"watch": None, "tensorboard": False, **changes}),
            seed=self.experiment.seed,
            workers=self.session.workers,
            **options,
        )


def bits_of(model: Model) -> bytes:
    """Every number of its parameters and buffers, as it is stored."""
    return b"".join(array.tobytes() for array in model.state_dict().values())
