"""cnncli."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.contestants.runner import Array, Mode, Runner
from benchmarks.job import BETAS, EPS, LEARNING_RATE, Job
from cnncli import __version__
from cnncli.engine import Executor, LossObjective
from cnncli.graph import Model
from cnncli.training.optimizers import Adam


def version() -> str:
    """Name and version."""
    return f"cnncli {__version__}"


def runners(job: Job, mode: Mode, threads: int) -> dict[str, Runner]:
    """There is nothing to choose."""
    return {"as it is": Cnncli(job, threads)}


class Cnncli(Runner):
    """Steps as `cnncli train` makes them; images are NCHW, as users hand them over."""

    def __init__(self, job: Job, threads: int) -> None:
        self.job = job
        self.model = Model.create(job.graph)
        self.model.load_state_dict(job.weights)
        self.executor = Executor(self.model, workers=threads)
        self.optimizer = Adam(lr=LEARNING_RATE, betas=BETAS, eps=EPS)
        self.state = self.optimizer.new_state(self.model.flat)
        self.updates = 0

    def train(self, steps: Iterable[int]) -> list[float]:
        return [self._step(self._images(step), self.job.labels[step % len(self.job.labels)]) for step in steps]

    def _images(self, step: int) -> Array:
        images: Array = self.job.images[step % len(self.job.images)]
        return images

    def _step(self, x: Array, labels: Array) -> float:
        objective = LossObjective.of(self.job.loss, self.job.graph, labels)
        result = self.executor.differentiate(x, objective, training=True, step=self.updates, update_buffers=True)
        self.updates += 1
        self.optimizer.update(self.model.flat, result.flat_gradient, self.state, self.updates)
        return result.value

    def infer(self, step: int) -> Array:
        return self.executor.infer(self._images(step), blas_threads=self.executor.workers)

    def close(self) -> None:
        self.executor.close()
