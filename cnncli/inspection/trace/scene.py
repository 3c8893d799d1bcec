"""A network that has run once, in double precision, and whose layers can be run again one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.engine import Executor, Objective, Recording, record_backward, record_forward
from cnncli.engine.layout import to_engine
from cnncli.engine.plan import cut
from cnncli.engine.walk import generator
from cnncli.graph import INPUT, Model, Node
from cnncli.layers.base import Cache, Params
from cnncli.layers.run import Run

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scene:
    """`model` and `recording` are float64; `objective` is what the recorded gradients are of, None without them."""

    model: Model
    recording: Recording
    objective: Objective | None
    training: bool
    seed: int

    @classmethod
    def record(
        cls, model: Model, x: Array, objective: Objective | None = None, *, training: bool = False, seed: int = 0
    ) -> Scene:
        """Runs the network on x (N, *input_shape), and back where there is an objective. `seed` is dropout's."""
        double = model.astype(np.float64)
        with Executor(double, workers=1, seed=seed) as executor:
            recording = (
                record_forward(executor, x, training=training)
                if objective is None
                else record_backward(executor, x, objective, training=training)
            )
        return cls(double, recording, objective, training, seed)

    @property
    def samples(self) -> int:
        """How many there are."""
        return len(self.recording.activations[INPUT])

    def couples(self, node: Node) -> bool:
        """Whether what the node makes of one sample depends on the others."""
        return self.training and node.layer.couples_batch

    def condition(self, node: Node, channel: int) -> float:
        """How many digits' worth the node may lose: a variance found from sums of squares loses them where the
        spread is small beside the mean. 1 where the node does not look at the whole batch."""
        if not self.couples(node):
            return 1.0
        x = self.recording.activations[node.inputs[0]][:, channel]
        spread = float(x.var())
        return 1 + float(np.square(x).max()) / spread if spread else np.inf

    def parts(self, node: Node) -> list[slice]:
        """The batch, cut into what the node must see together to compute what it did."""
        return [slice(0, self.samples)] if self.couples(node) else self._micro_batches

    def part(self, node: Node, sample: int) -> slice:
        """The one with this sample; at inference it alone."""
        if not self.training:
            return slice(sample, sample + 1)
        return next(part for part in self.parts(node) if part.start <= sample < part.stop)

    @cached_property
    def _micro_batches(self) -> list[slice]:
        return cut(self.model.graph, self.samples)  # dropout's masks depend on the cut

    def inputs(self, node: Node, part: slice, dtype: DTypeLike = np.float64) -> tuple[Array, ...]:
        """New arrays (*shape, n)."""
        run = Run(np.dtype(dtype))
        return tuple(to_engine(self.recording.activations[name][part], run) for name in node.inputs)

    def tensors(self, node: Node, dtype: DTypeLike = np.float64) -> Params:
        """Parameters and buffers; new arrays but for counters."""
        tensors = self.model.tensors(node.name)
        return {key: array.astype(dtype) if array.dtype.kind == "f" else array for key, array in tensors.items()}

    def compute(self, node: Node, part: slice, xs: tuple[Array, ...], tensors: Params) -> tuple[Array, Cache, Run]:
        """The node's layer alone on one part of the batch, as the engine calls it."""
        run = Run(
            xs[0].dtype,
            training=self.training,
            batch_size=self.samples,
            needs=(True,) * len(xs),
            owned=(False,) * len(xs),
            generator=generator(self.seed, node.name, 0, part.start),
        )
        if self.couples(node):
            run = replace(run, totals=node.layer.forward_sums(tensors, xs, run))
        y, cache = node.layer.forward(tensors, xs, run)
        return y, cache, run
