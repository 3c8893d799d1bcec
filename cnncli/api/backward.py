"""What flows back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.arrays import activation_arrays, gradient_arrays, parameter_arrays, save_npz
from cnncli.api.inputs import Inputs, Labels, labelled, replayed, shown
from cnncli.api.many import describe_each, labelled_samples, many_samples, some_of, telling
from cnncli.api.objectives import Choice, as_trained, choose, require_one
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.data.inputs import Input
from cnncli.engine import Executor, Objective, Recording, record_backward
from cnncli.graph import Model
from cnncli.inspection.census import Census, backward_census
from cnncli.inspection.names import only_nodes
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples
from cnncli.inspection.subject import Subject
from cnncli.inspection.views import panels
from cnncli.inspection.views.flow import BackwardView, backward_view
from cnncli.inspection.views.mirror import SIDE_BY_SIDE, mirror_board
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.inspection.views.several import with_all_inputs

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Backward:
    """The view of the gradients, and what it was made from."""

    view: BackwardView
    recording: Recording
    model: Model
    subjects: tuple[Subject, ...]
    """Of every sample whose values were recorded."""
    census: Census
    """The numbers about all samples."""

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array whole, batch first, under the names that `save` gives them."""
        recording = self.recording
        return {**activation_arrays(recording), **gradient_arrays(recording), **parameter_arrays(self.model)}

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order in which the network computes, forward and back."""
        wrong = [row for row in self.view.parameters if row.gradient.nonfinite]
        parameters = [f"the gradient of {row.node}.{row.key}" for row in wrong]
        return (*self.census.nonfinite(self.model.graph), *parameters)

    def pictures(self, pick: Pick = STRONGEST) -> Board:
        """The gradients as maps to be drawn, a row for each input. Raises UsageError if nothing fits `pick`."""
        board = panels.gradients(self.recording, self.model, self.view.subject, pick)
        return with_all_inputs(board, self.recording.gradients, self.model.graph, self.subjects, pick)

    def mirror(self, pick: Pick = SIDE_BY_SIDE) -> Board:
        """The activations, below them their gradients and those of the weights. Raises UsageError if nothing fits."""
        return mirror_board(self.view, self.model.graph, pick)


def backward(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    samples: int | None = None,
    layer: Sequence[str] = (),
    train_mode: bool = False,
    step: int | None = None,
    save: str | PathLike[str] | None = None,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> Backward:
    """Runs the network forward and back on the inputs, and shows every gradient.

    What is differentiated is the mean loss of the samples' labels, or of the given `label`s; or the logit of the
    class `target`; or sum(upstream * output), the numbers of `upstream` being in a file. Over several inputs,
    gradients are of the mean of the losses, else of the sum.
    `samples`: that of so many samples of the held-out split instead, evenly spread over it; of the values only those
    of the first are kept, so that there may be any number. `layer` leaves only those in the view; `train_mode` gives
    batch norm and dropout their training behaviour, the masks being those of a training's first step; with `step` those
    of that step, and the loss is as the training had it, with its class weights. `save` writes all arrays to an NPZ
    file; `progress` is told how many of many samples are done.

    Raises what `load` does, UsageError, DataError, OutputError.
    """
    require_one(label, target, upstream)
    batches = replayed(step, samples, training=train_mode)
    session = resolve(network, options)
    keep = only_nodes(session.graph, layer)
    many = many_samples(session, samples, input, save)
    found = shown(session, input) if many is None else some_of(many, np.arange(1))
    given = labelled(session, found, label) if many is None else found
    some = None if many is None else labelled_samples(session, many, label)

    def chosen(inputs: Input) -> Choice:
        return choose(session, inputs, target=None if target is None else str(target), upstream=upstream)

    with session.executor() as executor:
        if some is None:
            choice = chosen(given) if step is None else as_trained(session, given, chosen(given))
            recording = record_backward(executor, given.x, choice.objective, training=train_mode, step=batches)
            census = Census.of(recording, mean=choice.objective.mean)
        else:
            choice, recording, census = _run_many(executor, some, chosen, training=train_mode, progress=progress)
    known = replace(given, labels=_true(found, given))
    subjects = describe_each(session, known, recording.activations, target=_of_all(choice, census.samples))
    view = backward_view(recording, session.model, replace(subjects[0], samples=census.samples), census)
    result = Backward(_only(view, keep), recording, session.model, subjects, census)
    if save is not None:
        save_npz(save, result.arrays)
    return result


def _run_many(
    executor: Executor, many: Samples, chosen: Callable[[Input], Choice], *, training: bool, progress: Progress
) -> tuple[Choice, Recording, Census]:
    """What is differentiated, what flowed for the first sample, and the numbers about all."""

    def objective(indices: NDArray[np.int64]) -> Objective:
        return chosen(some_of(many, indices)).objective

    choice = chosen(some_of(many, telling(many)))
    recording, census = backward_census(executor, many, objective, training=training, progress=progress)
    return choice, recording, census


def _true(found: Input, given: Input) -> tuple[Array | None, ...]:
    """The labels of the inputs as they were found; where they have none of their own, those that were given."""
    own = (None,) * len(found) if found.made_up else found.labels
    return tuple(wanted if label is None else label for label, wanted in zip(own, given.labels, strict=True))


def _only(view: BackwardView, keep: Collection[str]) -> BackwardView:
    """Of these layers alone."""
    return replace(
        view,
        layers=tuple(row for row in view.layers if row.name in keep),
        parameters=tuple(row for row in view.parameters if row.node in keep),
        flow=tuple(row for row in view.flow if row.name in keep),
    )


def _of_all(choice: Choice, samples: int) -> str:
    """What is differentiated, in words."""
    if samples == 1:
        return choice.text
    return f"{choice.text}, {'mean' if choice.objective.mean else 'sum'} over {samples:,} samples"
