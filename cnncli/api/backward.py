"""What flows back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from numpy.typing import NDArray

from cnncli.api.arrays import activation_arrays, gradient_arrays, parameter_arrays, save_npz
from cnncli.api.inputs import Inputs, Labels, labelled, shown
from cnncli.api.objectives import choose
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.api.subject import describe
from cnncli.engine import Recording, record_backward
from cnncli.graph import Model
from cnncli.inspection import views
from cnncli.inspection.names import only_nodes
from cnncli.inspection.views import BackwardView, Pick

if TYPE_CHECKING:
    from cnncli.inspection.views import PanelsView

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Backward:
    """The view of the gradients, and what it was made from."""

    view: BackwardView
    recording: Recording
    model: Model

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

    def pictures(self, pick: Pick = views.STRONGEST) -> PanelsView:
        """The gradients as maps to be drawn. Raises UsageError if nothing fits `pick`."""
        return views.gradients(self.recording, self.model, self.view.subject, pick)


def backward(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    layer: Sequence[str] = (),
    train_mode: bool = False,
    save: str | PathLike[str] | None = None,
    **options: Unpack[SessionOptions],
) -> Backward:
    """Runs the network forward and back on the inputs, and shows every gradient.

    What is differentiated is the mean loss of the samples' labels, or of the given `label`s; or the logit of the
    class `target`; or sum(upstream * output), the numbers of `upstream` being in a file. Over several inputs,
    parameter gradients are of the mean of the losses, else of the sum.
    `layer` leaves only those in the view; `train_mode` gives batch norm and dropout their training behaviour; `save`
    writes all arrays to an NPZ file.

    Raises what `load` does, UsageError, DataError, OutputError.
    """
    session = resolve(network, options)
    keep = only_nodes(session.graph, layer)
    found = shown(session, input)
    given = labelled(session, found, label)
    chosen = choose(session, given, target=None if target is None else str(target), upstream=upstream)
    with session.executor() as executor:
        recording = record_backward(executor, given.x, chosen.objective, training=train_mode)
    made_up = not input and session.experiment.data is None
    known = given if found.targets is None or made_up else found  # a label does not change what the data say is true
    subject = describe(session, known, recording.activations, target=chosen.text)
    view = views.backward_view(recording, session.model, subject)
    view = replace(
        view,
        layers=tuple(row for row in view.layers if row.name in keep),
        parameters=tuple(row for row in view.parameters if row.node in keep),
    )
    result = Backward(view, recording, session.model)
    if save is not None:
        save_npz(save, result.arrays)
    return result
