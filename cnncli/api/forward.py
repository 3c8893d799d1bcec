"""What flows forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.arrays import activation_arrays, parameter_arrays, save_npz
from cnncli.api.inputs import Inputs, replayed, shown
from cnncli.api.many import describe_each, many_samples, some_of
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.api.subject import top_of
from cnncli.engine import Recording, record_forward
from cnncli.graph import Model
from cnncli.inspection.census import Census, forward_census
from cnncli.inspection.names import only_nodes
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.subject import Subject
from cnncli.inspection.views import panels
from cnncli.inspection.views.flow import ForwardView, forward_view
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.inspection.views.several import with_all_inputs

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Forward:
    """The view of the layers, and what it was made from."""

    view: ForwardView
    recording: Recording
    model: Model
    subjects: tuple[Subject, ...]
    """Of every sample that was recorded."""

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array whole, batch first, under the names that `save` gives them."""
        return {**activation_arrays(self.recording), **parameter_arrays(self.model)}

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order in which the network computes."""
        return tuple(row.name for row in self.view.layers if row.statistics.nonfinite)

    def pictures(self, pick: Pick = STRONGEST) -> Board:
        """The activations as maps to be drawn, a row for each input. Raises UsageError if nothing fits `pick`."""
        graph, activations = self.model.graph, self.recording.activations
        board = panels.feature_maps(self.recording, graph, self.view.subject, pick)
        return with_all_inputs(board, activations, graph, self.subjects, pick)


def forward(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    samples: int | None = None,
    layer: Sequence[str] = (),
    top: int = 5,
    train_mode: bool = False,
    step: int | None = None,
    save: str | PathLike[str] | None = None,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> Forward:
    """Runs the network on the inputs, by default the first sample of its data, and shows every activation.

    `samples`: the numbers, and which units are dead, are of so many samples of the held-out split instead, evenly
    spread over it; only those of the first are kept, so that there may be any number. `layer` leaves only those in the
    view; `top` is the number of classes; `train_mode` gives batch norm and dropout their training behaviour, the masks
    being those of the training step number `step`, by default the first; `save` writes all arrays to an NPZ file;
    `progress` is told how many of many samples are done.

    Raises what `load` does, UsageError, DataError for an input that cannot be used, OutputError.
    """
    at_least("--top", top)
    batches = replayed(step, samples, training=train_mode)
    session = resolve(network, options)
    keep = only_nodes(session.graph, layer)
    many = many_samples(session, samples, input, save)
    given = shown(session, input) if many is None else some_of(many, np.arange(1))
    with session.executor() as executor:
        if many is None:
            recording = record_forward(executor, given.x, training=train_mode, step=batches)
            census = Census.of(recording)
        else:
            recording, census = forward_census(executor, many, training=train_mode, progress=progress)
    subjects = describe_each(session, given, recording.activations)
    subject = replace(subjects[0], samples=census.samples)
    best = top_of(session, recording.activations, top)
    view = forward_view(recording, session.graph, subject, best, census)
    view = replace(view, layers=tuple(row for row in view.layers if row.name in keep))
    result = Forward(view, recording, session.model, subjects)
    if save is not None:
        save_npz(save, result.arrays)
    return result
