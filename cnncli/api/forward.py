"""What flows forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from numpy.typing import NDArray

from cnncli.api.arrays import activation_arrays, parameter_arrays, save_npz
from cnncli.api.inputs import Inputs, shown
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.api.subject import describe, top_of
from cnncli.engine import Recording, record_forward
from cnncli.graph import Model
from cnncli.inspection import views
from cnncli.inspection.names import only_nodes
from cnncli.inspection.views import ForwardView, Pick

if TYPE_CHECKING:
    from cnncli.inspection.views import PanelsView

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Forward:
    """The view of the layers, and what it was made from."""

    view: ForwardView
    recording: Recording
    model: Model

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array whole, batch first, under the names that `save` gives them."""
        return {**activation_arrays(self.recording), **parameter_arrays(self.model)}

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order in which the network computes."""
        return tuple(row.name for row in self.view.layers if row.statistics.nonfinite)

    def pictures(self, pick: Pick = views.STRONGEST) -> PanelsView:
        """The activations as maps to be drawn. Raises UsageError if nothing fits `pick`."""
        return views.feature_maps(self.recording, self.model.graph, self.view.subject, pick)


def forward(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    layer: Sequence[str] = (),
    top: int = 5,
    train_mode: bool = False,
    save: str | PathLike[str] | None = None,
    **options: Unpack[SessionOptions],
) -> Forward:
    """Runs the network on the inputs, by default the first sample of its data, and shows every activation.

    `layer` leaves only those in the view; `top` is the number of classes; `train_mode` gives batch norm and dropout
    their training behaviour; `save` writes all arrays to an NPZ file.

    Raises what `load` does, UsageError, DataError for an input that cannot be used, OutputError.
    """
    session = resolve(network, options)
    keep = only_nodes(session.graph, layer)
    given = shown(session, input)
    with session.executor() as executor:
        recording = record_forward(executor, given.x, training=train_mode)
    subject = describe(session, given, recording.activations)
    best = top_of(session, recording.activations, top)
    view = views.forward_view(recording, session.graph, subject, best)
    view = replace(view, layers=tuple(row for row in view.layers if row.name in keep))
    result = Forward(view, recording, session.model)
    if save is not None:
        save_npz(save, result.arrays)
    return result
