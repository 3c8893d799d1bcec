"""What flows back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.arrays import activation_arrays, gradient_arrays, parameter_arrays, save_npz
from cnncli.api.inputs import Inputs, Labels, labelled, shown
from cnncli.api.many import describe_each, many_samples, some_of
from cnncli.api.objectives import Choice, choose
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.data.inputs import Input
from cnncli.engine import Executor, Objective, Recording, record_backward
from cnncli.graph import Model
from cnncli.inspection import views
from cnncli.inspection.census import Census, backward_census
from cnncli.inspection.names import only_nodes
from cnncli.inspection.samples import Progress, Samples
from cnncli.inspection.views import BackwardView, Pick, Subject
from cnncli.inspection.views.mirror import SIDE_BY_SIDE, mirror_board
from cnncli.inspection.views.several import with_all_inputs

if TYPE_CHECKING:
    from cnncli.inspection.views import Board

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Backward:
    """The view of the gradients, and what it was made from."""

    view: BackwardView
    recording: Recording
    model: Model
    subjects: tuple[Subject, ...]
    """Of every sample whose values were recorded."""

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array whole, batch first, under the names that `save` gives them."""
        recording = self.recording
        return {**activation_arrays(recording), **gradient_arrays(recording), **parameter_arrays(self.model)}

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order in which the gradients are computed."""
        values = [f"the gradient of {row.name}" for row in reversed(self.view.layers) if row.statistics.nonfinite]
        return tuple(values + [f"{row.node}.{row.key}" for row in self.view.parameters if row.gradient.nonfinite])

    def pictures(self, pick: Pick = views.STRONGEST) -> Board:
        """The gradients as maps to be drawn, a row for each input. Raises UsageError if nothing fits `pick`."""
        board = views.gradients(self.recording, self.model, self.view.subject, pick)
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
    save: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> Backward:
    """Runs the network forward and back on the inputs, and shows every gradient.

    What is differentiated is the mean loss of the samples' labels, or of the given `label`s; or the logit of the
    class `target`; or sum(upstream * output), the numbers of `upstream` being in a file. Over several inputs,
    gradients are of the mean of the losses, else of the sum.
    `samples`: that of so many samples of the held-out split instead, evenly spread over it; of the values only those
    of the first are kept, so that there may be any number. `layer` leaves only those in the view; `train_mode` gives
    batch norm and dropout their training behaviour; `save` writes all arrays to an NPZ file; `progress` is told how
    many of many samples are done.

    Raises what `load` does, UsageError, DataError, OutputError.
    """
    session = resolve(network, options)
    keep = only_nodes(session.graph, layer)
    many = many_samples(session, samples, input, save)
    found = shown(session, input) if many is None else some_of(many, np.arange(1))

    def chosen(inputs: Input) -> Choice:
        wanted = None if target is None else str(target)
        return choose(session, labelled(session, inputs, label), target=wanted, upstream=upstream)

    with session.executor() as executor:
        choice, recording, census = _run(executor, found, many, chosen, training=train_mode, progress=progress)
    made_up = not input and session.experiment.data is None
    given = labelled(session, found, label)
    known = given if found.targets is None or made_up else found  # a label does not change what the data say is true
    subjects = describe_each(session, known, recording.activations, target=_of_all(choice, census.samples))
    subject = replace(subjects[0], samples=census.samples)
    view = views.backward_view(recording, session.model, subject, census)
    view = replace(
        view,
        layers=tuple(row for row in view.layers if row.name in keep),
        parameters=tuple(row for row in view.parameters if row.node in keep),
        flow=tuple(row for row in view.flow if row.name in keep),
    )
    result = Backward(view, recording, session.model, subjects)
    if save is not None:
        save_npz(save, result.arrays)
    return result


def _run(
    executor: Executor,
    found: Input,
    many: Samples | None,
    chosen: Callable[[Input], Choice],
    *,
    training: bool,
    progress: Progress | None,
) -> tuple[Choice, Recording, Census]:
    """What is differentiated, what flowed, and the numbers about it."""
    if many is None:
        choice = chosen(found)
        recording = record_backward(executor, found.x, choice.objective, training=training)
        return choice, recording, Census.of(recording, mean=choice.objective.mean)

    def objective(indices: NDArray[np.int64]) -> Objective:
        return chosen(some_of(many, indices)).objective

    choice = chosen(some_of(many, np.arange(min(many.count, 2))))  # of two, so that it is in words not that of a label
    recording, census = backward_census(executor, many, objective, training=training, progress=progress)
    return choice, recording, census


def _of_all(choice: Choice, samples: int) -> str:
    """What is differentiated, in words."""
    if samples == 1:
        return choice.text
    return f"{choice.text}, {'mean' if choice.objective.mean else 'sum'} over {samples:,} samples"
