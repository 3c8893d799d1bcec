"""What a channel would like best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import is_binary, names_of
from cnncli.api.inputs import Inputs
from cnncli.api.samples import some_samples
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.display import to_picture
from cnncli.inspection.maximization import Ascent
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.views.activation_max import ActivationMaxView, activation_max_view
from cnncli.inspection.views.pick import STRONGEST, Pick

Array = NDArray[Any]


def activation_max(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    split: str | None = None,
    samples: int = 500,
    pick: Pick = STRONGEST,
    steps: int = 256,
    seed: int = 0,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> ActivationMaxView:
    """For each channel that `pick` says an input that excites it most, made from noise in so many steps.

    By default for the classes: the logits. Beside it stands the best of the given inputs, or of so many samples of a
    split, by default the held-out one; their numbers are the range that the new inputs keep to. A network without
    data is compared with nothing.

    Raises what `load` does, UsageError and DataError.
    """
    at_least("--samples", samples)
    session = resolve(network, options)
    ascent = Ascent(steps, seed=seed)
    compared = None if session.experiment.data is None and not input else some_samples(session, input, split, samples)
    graph = session.graph
    logits = graph.logits(graph.output.layer.link)
    names = None if is_binary(session) else names_of(session)
    with session.executor() as executor, np.errstate(all="ignore"):  # what is not finite is told
        return activation_max_view(
            executor,
            pick.nodes or (logits,),
            compared,
            _picture_of(session),
            pick,
            ascent,
            class_names=None if names is None else (logits, names),
            progress=progress,
        )


def _picture_of(session: Session) -> Callable[[Array], Array]:
    """Makes of an input what the data looks like: not normalised."""
    if session.experiment.data is None:
        return to_picture
    split = session.dataset.train
    stored = split.store.shape[1:]

    def picture(x: Array) -> Array:
        raw = split.scaling.undo(x.reshape(stored))
        return to_picture(raw.round().clip(0, 255).astype(np.uint8) if split.store.dtype == np.uint8 else raw)

    return picture
