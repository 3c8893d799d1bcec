"""Numbers about every value of the network over many samples: of a batch only these are kept, and its first sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, Objective, Recording
from cnncli.engine.layout import to_user
from cnncli.graph import INPUT, Graph
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples, batch_size
from cnncli.inspection.statistics import Statistics, merged, scaled, statistics
from cnncli.layers.base import Params

Array = NDArray[Any]
Choose = Callable[[NDArray[np.int64]], Objective]
"""The objective of a batch of samples with these numbers."""


@dataclass(frozen=True)
class Census:
    """Over all `samples`, by the name of the value (nodes and "input")."""

    samples: int
    activations: Mapping[str, Statistics]
    gradients: Mapping[str, Statistics]
    silent: Mapping[str, tuple[int, ...]]
    """The units of each activation that were exactly 0 for every sample: channels of (C, H, W), features of (F,)."""
    objective: float | None = None
    """What was differentiated: the mean over the samples, or the sum."""

    def nonfinite(self, graph: Graph) -> tuple[str, ...]:
        """The activations, and then the gradients, that hold NaN or infinity, in the order in which they are made."""
        forward = [name for name in graph.consumers if name in self.activations and self.activations[name].nonfinite]
        back = [name for name in graph.consumers if name in self.gradients and self.gradients[name].nonfinite]
        return (*forward, *(f"the gradient of {name}" for name in reversed(back)))

    @classmethod
    def of(cls, recording: Recording, *, mean: bool = False) -> Census:
        """Of what was recorded; `mean` says whether the objective is the samples' mean or their sum."""
        activations, values = recording.activations, recording.values
        return cls(
            samples=len(activations[INPUT]),
            activations={name: statistics(array) for name, array in activations.items()},
            gradients={name: statistics(array) for name, array in recording.gradients.items()},
            silent={name: _numbers(~_heard(array, 1)) for name, array in activations.items()},
            objective=None if values is None else float(values.mean() if mean else values.sum()),
        )


def forward_census(
    executor: Executor, samples: Samples, *, training: bool = False, progress: Progress = silent
) -> tuple[Recording, Census]:
    """All activations of the first sample, and the numbers about those of all samples."""
    tap = _Tap(samples.count)
    output = None
    for indices in _batches(executor, samples, training=training, progress=progress):
        found = executor.infer(samples.x(indices), training=training, taps=[tap.of(indices, 1.0)])
        output = found[:1] if output is None else output
    assert output is not None  # there are samples
    return Recording(output, tap.first["activation"]), tap.census(None)


def backward_census(
    executor: Executor,
    samples: Samples,
    choose: Choose,
    *,
    training: bool = False,
    progress: Progress = silent,
) -> tuple[Recording, Census]:
    """All activations and gradients of the first sample; the parameters' gradients, and the numbers, of all samples.

    What is differentiated is the mean of all samples' objectives, or their sum, as the objectives say.
    """
    tap = _Tap(samples.count)
    flat = np.zeros_like(executor.model.flat)
    output, values, reached, mean = None, [], {INPUT}, False
    for indices in _batches(executor, samples, training=training, progress=progress):
        objective = choose(indices)
        mean = objective.mean
        factor = len(indices) / samples.count if mean else 1.0  # a batch's mean is this share of that of all samples
        taps = [tap.of(indices, factor)]
        result = executor.differentiate(samples.x(indices), objective, training=training, taps=taps)
        flat += factor * result.flat_gradient
        values.append(result.values)
        output = result.output[:1] if output is None else output
        reached |= executor.model.graph.ancestors(objective.at)
    assert output is not None  # there are samples
    found = np.concatenate(values)
    gradients = {name: array for name, array in tap.first["gradient"].items() if name in reached}
    recording = Recording(output, tap.first["activation"], gradients, _parameters(executor, flat), found)
    return recording, tap.census(float(found.mean() if mean else found.sum()))


def _batches(
    executor: Executor, samples: Samples, *, training: bool, progress: Progress
) -> Iterator[NDArray[np.int64]]:
    """The numbers of the samples of each batch; training behaviour may depend on the batch, which then is all."""
    size = samples.count if training else batch_size(executor.model.graph, ())
    for start in range(0, samples.count, size):
        yield np.arange(start, min(start + size, samples.count))
        progress(min(start + size, samples.count), samples.count)


def _parameters(executor: Executor, flat: Array) -> dict[str, Params]:
    return executor.model.on(flat).parameters


@dataclass
class _Tap:
    """Gathers, micro-batch by micro-batch, what a census tells."""

    samples: int
    statistics: dict[str, dict[str, Statistics]] = field(default_factory=lambda: {"activation": {}, "gradient": {}})
    first: dict[str, dict[str, Array]] = field(default_factory=lambda: {"activation": {}, "gradient": {}})
    heard: dict[str, Array] = field(default_factory=dict)
    """(C,) or (F,): the units that were anything but 0 for some sample."""

    def of(self, indices: NDArray[np.int64], factor: float) -> Callable[[str, str, Array, slice], None]:
        """A tap for these samples, whose gradients are multiplied by `factor`."""

        def tap(name: str, what: str, array: Array, samples: slice) -> None:
            found = scaled(statistics(array), factor if what == "gradient" else 1.0)
            sofar = self.statistics[what].get(name)
            self.statistics[what][name] = found if sofar is None else merged(sofar, found)
            if what == "activation":
                self.heard[name] = self.heard.get(name, np.False_) | _heard(array, 0)
            if indices[0] == samples.start == 0:
                self.first[what][name] = to_user(array[..., :1]) * (factor if what == "gradient" else 1)

        return tap

    def census(self, objective: float | None) -> Census:
        silent = {name: _numbers(~heard) for name, heard in self.heard.items()}
        return Census(self.samples, self.statistics["activation"], self.statistics["gradient"], silent, objective)


def _heard(array: Array, axis: int) -> Array:
    """Which units, along `axis`, are anything but 0 somewhere."""
    return np.asarray((array != 0).any(axis=tuple(other for other in range(array.ndim) if other != axis)))


def _numbers(mask: Array) -> tuple[int, ...]:
    return tuple(mask.nonzero()[0].tolist())
