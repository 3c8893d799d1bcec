"""Takes the micro-batches that fall to one process to their end.

Where layers couple the samples of the batch, all micro-batches stop at the same layer: their partial sums are
exchanged for the totals, to which other processes may have added theirs, and each goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.plan import Plan, make_plan
from cnncli.engine.walk import Arrays, MicroBatch, Request, Tap, Task, walk
from cnncli.engine.workspace import Workspace
from cnncli.graph import Model, flat_views
from cnncli.layers.base import Params

Array = NDArray[Any]

AllReduce = Callable[[list[Array]], Array]
"""The partial sums of this process's micro-batches, in order, for the totals of the whole batch."""

Finish = Callable[[MicroBatch], None]
"""Told, in order, of every micro-batch that has come to its end."""

BUFFER = 1024
"""Numbers in NumPy's own buffers: it copies into them operands whose runs are shorter than half of that, and with its
default of 8192 those are the rows of most images, which then take twice the time."""


class Worker:
    """A model, the plans to run it, and the memory to compute in, which is used again from call to call."""

    def __init__(self, model: Model, seed: int, frozen: Collection[str] = ()) -> None:
        self.model = model
        self.seed = seed
        self.frozen = frozenset(frozen)
        self._tensors = {node.name: model.tensors(node.name) for node in model.graph.nodes}
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._workspaces: list[Workspace] = []

    def compute(
        self,
        request: Request,
        arrays: Arrays,
        micro_batches: Sequence[MicroBatch],
        all_reduce: AllReduce,
        finish: Finish,
        taps: Sequence[Tap] = (),
    ) -> Mapping[str, Array]:
        """Fills in the arrays for these micro-batches. Returns the totals of the coupled layers' forward sums."""
        task = Task(request, arrays, self._plan(request), self._tensors, self.model.flat.dtype, self.seed, taps)
        coupled = any(step.coupled for step in task.plan.forward)
        while len(self._workspaces) < (len(micro_batches) if coupled else 1):
            self._workspaces.append(Workspace())
        walks = [
            walk(task, each, self._workspaces[position if coupled else 0])  # not coupled, they follow one another
            for position, each in enumerate(micro_batches)
        ]
        totals: Any = None  # what a generator must be sent first
        with np.errstate(all="ignore"):  # infinities flow on; whoever looks at the results will see them
            np.setbufsize(BUFFER)  # as the error state, this holds until the end of the block
            while True:
                partials = []
                for each, steps in zip(micro_batches, walks, strict=True):
                    try:
                        partials.append(steps.send(totals))
                    except StopIteration:
                        for name in self.frozen:  # that stand between others, and were on the way back
                            each.gradients.pop(name, None)
                        finish(each)
                if not partials:
                    return task.totals
                totals = all_reduce(partials)

    def _plan(self, request: Request) -> Plan:
        gradient = request.objective is not None
        key = (request.at, request.training, gradient, request.everything)
        if key not in self._plans:
            self._plans[key] = make_plan(
                self.model.graph,
                request.at,
                self.model.parameters.keys() - self.frozen,
                training=request.training,
                gradient=gradient,
                everything=request.everything,
            )
        return self._plans[key]


def ordered_sum(partials: Sequence[Array]) -> Array:
    """Always made in the same order: floating-point addition is not associative."""
    total = partials[0]
    for partial in partials[1:]:
        total = total + partial
    return total


def adding_to(views: Mapping[str, Params]) -> Finish:
    """Adds every micro-batch's parameter gradients to `views`, by node and key, and lets go of their memory."""

    def finish(micro_batch: MicroBatch) -> None:
        for name, gradients in micro_batch.gradients.items():
            for key, gradient in gradients.items():
                view = views[name][key]
                # Rounded to the model's precision first, wherever it is added, so that the bits are the same.
                np.add(view, gradient, out=view, dtype=view.dtype, casting="same_kind")
        micro_batch.gradients.clear()

    return finish


def each_to_its_own(rows: Array, like: Mapping[str, Params]) -> Finish:
    """Puts the parameter gradients of micro-batch i into rows[i], if there are rows."""

    def finish(micro_batch: MicroBatch) -> None:
        if len(rows):
            rows[micro_batch.index] = 0
            adding_to(flat_views(rows[micro_batch.index], like))(micro_batch)

    return finish
