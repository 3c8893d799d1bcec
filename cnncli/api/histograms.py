"""How weights, activations and gradients are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, labelled, shown_some
from cnncli.api.many import some_of
from cnncli.api.objectives import Choice, choose
from cnncli.api.samples import some_samples
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.inputs import Input
from cnncli.engine import Objective
from cnncli.errors import UsageError
from cnncli.graph import Graph
from cnncli.inspection.histograms import value_histograms, weight_histograms
from cnncli.inspection.names import only_nodes
from cnncli.inspection.samples import Progress, Samples
from cnncli.inspection.views.histograms import OF, Histogram, HistogramsView
from cnncli.wording import one_of

Array = NDArray[Any]


def histograms(
    network: Network | None = None,
    *,
    of: Sequence[str] = (),
    input: Inputs | None = None,
    split: str | None = None,
    samples: int = 100,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    layer: Sequence[str] = (),
    train_mode: bool = False,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> HistogramsView:
    """How the numbers of the weights, of the activations and of the gradients are distributed.

    `of` are some of "weights", "activations" and "gradients"; by default all for which enough is known. Activations and
    gradients are those of the given inputs, or of up to `samples` samples of a split; what is differentiated is said as
    for `backward`. `layer` leaves only these; without it, what merely repeats another is left out.

    Raises what `load` does, UsageError, DataError.
    """
    session = resolve(network, options)
    for name in of:
        if name not in OF:
            raise UsageError(f"--of {name}: expected {one_of(OF)}")
    nodes = only_nodes(session.graph, layer) if layer else _different(session.graph, training=train_mode)
    found: list[Histogram] = list(weight_histograms(session.model, nodes)) if "weights" in (of or OF) else []
    if of and not {"activations", "gradients"} & set(of):
        return HistogramsView(None, None, tuple(found))
    shown = _samples(session, input, split, samples, label)
    wanted = None if target is None else str(target)

    def chosen(indices: Array) -> Choice:
        return choose(session, some_of(shown, indices), target=wanted, upstream=upstream)

    def objective(indices: Array) -> Objective:
        return chosen(indices).objective

    known = shown.targets is not None or wanted is not None or upstream is not None
    backward = "gradients" in of or (not of and known)
    about = _in_words(chosen(np.arange(min(shown.count, 2))), shown) if backward else None
    with session.executor() as executor:
        values = value_histograms(
            executor, shown, nodes, objective if backward else None, training=train_mode, progress=progress
        )
        found += [each for each in values if each.of in (of or OF)]
    notes = () if backward or of else ("no gradients: the inputs have no label; give --label or --target",)
    return HistogramsView(shown.title, about, tuple(found), notes)


def _different(graph: Graph, *, training: bool) -> frozenset[str]:
    """The values that are not just those of another: at inference flatten, identity and dropout repeat their input."""
    same = {node.name for node in graph.nodes if node.layer.aliases_input and not training}
    return frozenset(graph.consumers) - same


def _samples(session: Session, inputs: Inputs | None, split: str | None, count: int, labels: Labels) -> Samples:
    """With the targets that the labels mean; random numbers where there are neither inputs nor data."""
    if inputs or split is not None or session.experiment.data is not None:
        found = some_samples(session, inputs, split, count)
        counted = Input(np.empty((found.count, 0)), found.targets, (), ())
        return replace(found, targets=labelled(session, counted, labels).targets)
    drawn = shown_some(session, None, labels, count)
    return Samples(
        title=drawn.names[0],
        count=count,
        x=lambda indices: drawn.x[indices],
        name=lambda index: drawn.names[index],
        picture=lambda index: None,
        targets=drawn.targets,
    )


def _in_words(choice: Choice, samples: Samples) -> str:
    """What is differentiated, and over which samples."""
    if samples.count == 1:
        return f"{choice.text}, {samples.title}"
    return f"{choice.text}, {'mean' if choice.objective.mean else 'sum'} over {samples.title}"
