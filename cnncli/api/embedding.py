"""How a layer spreads the samples."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_count, class_name
from cnncli.api.decisions import task_name
from cnncli.api.inputs import Inputs
from cnncli.api.samples import some_samples
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.inspection.names import only_nodes
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.views.embedding import EmbeddingView, default_layer, embedding_view

Array = NDArray[Any]


def embedding(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    split: str | None = None,
    samples: int = 1000,
    layer: str | None = None,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> EmbeddingView:
    """The samples in the plane of the first two principal components of a layer's output.

    By default what the last layer with weights reads. The samples are the given inputs, or so many of a split, by
    default the held-out one. Raises what `load` does, UsageError, DataError, and OutcomeError where nothing is finite.
    """
    session = resolve(network, options)
    name = layer or default_layer(session.model)
    only_nodes(session.graph, [name])
    chosen = some_samples(session, input, split, samples)
    classes = _classes(session, chosen.targets)
    with session.executor() as executor:
        return embedding_view(executor, chosen, name, classes, progress=progress)


def _classes(session: Session, targets: Array | None) -> tuple[tuple[str, ...], Array] | None:
    """The names of the classes, and which one each sample is; None where there is not one for each sample."""
    if targets is None or task_name(session, targets) != "classification":
        return None
    if targets.shape[1:] == (1,):  # of the only output
        targets = (targets[:, 0] > 0.5).astype(np.int64)
    if targets.ndim == 2:  # a share for each class
        targets = targets.argmax(axis=1)
    if targets.ndim != 1:
        return None
    return tuple(class_name(session, index) for index in range(class_count(session))), targets
