"""How weights, activations and gradients are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Unpack

from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, shown_some
from cnncli.api.many import labelled_samples, some_of, telling
from cnncli.api.objectives import Choice, choose, require_one
from cnncli.api.samples import as_samples, some_samples
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.engine import Objective
from cnncli.graph import Graph
from cnncli.inspection.histograms import OF, Histogram, value_histograms, weight_histograms
from cnncli.inspection.names import only_nodes
from cnncli.inspection.options import among, at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples
from cnncli.inspection.views.histograms import HistogramsView

Array = NDArray[Any]


SAMPLES = 100


def histograms(
    network: Network | None = None,
    *,
    of: Sequence[str] = (),
    input: Inputs | None = None,
    split: str | None = None,
    samples: int = SAMPLES,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    layer: Sequence[str] = (),
    train_mode: bool = False,
    progress: Progress = silent,
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
        among("--of", name, OF)
    at_least("--samples", samples)
    require_one(label, target, upstream)
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
    about = _in_words(chosen(telling(shown)), shown) if backward else None
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
        return labelled_samples(session, found, labels)
    return as_samples(shown_some(session, None, labels, count))


def _in_words(choice: Choice, samples: Samples) -> str:
    """What is differentiated, and over which samples."""
    if samples.count == 1:
        return f"{choice.text}, {samples.title}"
    return f"{choice.text}, {'mean' if choice.objective.mean else 'sum'} over {samples.title}"
