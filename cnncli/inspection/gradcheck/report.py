"""What a gradient check found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnncli.inspection.gradcheck.verdicts import Verdict

Array = NDArray[Any]


@dataclass(frozen=True)
class TensorCheck:
    """One gradient. Numbers are None where nothing was compared.

    `level` is "layer" (a layer alone, on the inputs that it has in the network, with a random upstream gradient) or
    "network" (the loss). `index` (batch first), `analytic` and `numeric` are those of the worst element that was
    looked at; `relative_error` is the largest of all elements and directions. `checked`, `kinks` and `unchecked` count
    these.
    """

    node: str
    tensor: str
    level: str
    verdict: Verdict
    relative_error: float | None = None
    index: tuple[int, ...] | None = None
    analytic: float | None = None
    numeric: float | None = None
    oracle: str | None = None
    checked: int = 0
    kinks: int = 0
    unchecked: int = 0
    hint: str | None = None

    @property
    def name(self) -> str:
        """conv1.weight; the network's own input is "input"."""
        return full_name(self.node, self.tensor)


def full_name(node: str, tensor: str) -> str:
    """What a tensor is called in texts."""
    return node if node == tensor else f"{node}.{tensor}"


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """One tensor's gradient as backward says and as it is, batch first.

    Of a tensor that is too large `true` is empty, and `by_slice` holds the errors of its filters, or of an input's
    channels or features (where they are very many, of neighbouring ones together): of the slope along one random
    direction. Elsewhere `by_slice` is empty.

    The `largest` error is a share of the largest true element or slope; `differing` of the `count` elements or slices
    are off by more than rounding, those where `differs` is true. In a gradient that passes these are on corners of the
    network, as where equal pixels compete in a maximum: which of them wins in a forward pass is a matter of rounding.
    """

    node: str
    tensor: str
    level: str
    largest: float
    differing: int
    count: int
    analytic: Array
    true: Array
    by_slice: Array
    differs: Array

    @property
    def name(self) -> str:
        """conv1.weight."""
        return full_name(self.node, self.tensor)


@dataclass(frozen=True)
class GradcheckReport:
    """Every tensor, the layers in the network's order, then the loss, then the whole network.

    `jittered` names the parameters that were all 0 and were checked at small random numbers instead, since zeros put
    whole areas of an image exactly on the corner of a ReLU. `maps` show where errors sit, if that was asked for.
    """

    verdict: Verdict
    tensors: tuple[TensorCheck, ...]
    samples: int
    seed: int
    jittered: tuple[str, ...]
    maps: tuple[ErrorMap, ...]
