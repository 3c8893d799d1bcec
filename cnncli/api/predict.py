"""Classes, or numbers, for images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Unpack

from numpy.typing import NDArray

from cnncli.api.classes import names_of, probabilities
from cnncli.api.inputs import Inputs, given_inputs
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.errors import UsageError
from cnncli.inspection.options import at_least
from cnncli.inspection.views.classes import Prediction, top_classes

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Predicted(Prediction):
    """`output` has the probabilities of all classes; or the network's output, where that is no classes."""

    output: Array


def predict(
    network: Network | None = None, *, input: Inputs, top: int = 3, **options: Unpack[SessionOptions]
) -> tuple[Predicted, ...]:
    """For every input its `top` most probable classes. Raises what `load` does, UsageError and DataError."""
    at_least("--top", top)
    session = resolve(network, options)
    if not input:
        raise UsageError("which images? give them as arguments or with --input")
    images = given_inputs(session, input)
    with session.executor() as executor:
        threads = executor.workers
        shares = probabilities(session, lambda name: executor.infer(images.x, at=name, blas_threads=threads))
        outputs = executor.infer(images.x, blas_threads=threads) if shares is None else shares
    names = names_of(session)
    return tuple(
        Predicted(name, () if shares is None else top_classes(output, names, top), output)
        for name, output in zip(images.names, outputs, strict=True)
    )
