"""Classes, or numbers, for images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Unpack

from numpy.typing import NDArray

from cnncli.api.classes import names_of, probabilities
from cnncli.api.inputs import Inputs, as_list
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.data.inputs import resolve as resolve_inputs
from cnncli.errors import UsageError
from cnncli.inspection.views import Prediction, top_classes

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Predicted(Prediction):
    """`output` has the probabilities of all classes; or the network's output, where that is no classes."""

    output: Array


def predict(
    network: Network | None = None, *, input: Inputs, top: int = 3, **options: Unpack[SessionOptions]
) -> tuple[Predicted, ...]:
    """For every input its `top` most probable classes. Raises what `load` does, UsageError and DataError."""
    session = resolve(network, options)
    if not as_list(input):
        raise UsageError("which images? give them as arguments or with --input")
    given = resolve_inputs(
        as_list(input), session.graph.input_shape, source=session.experiment.data, seed=session.experiment.seed
    )
    with session.executor() as executor:
        shares = probabilities(session, lambda name: executor.infer(given.x, at=name))
        outputs = executor.infer(given.x) if shares is None else shares
    names = names_of(session)
    return tuple(
        Predicted(name, () if shares is None else top_classes(output, names, top), output)
        for name, output in zip(given.names, outputs, strict=True)
    )
