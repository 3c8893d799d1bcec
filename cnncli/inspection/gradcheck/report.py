"""What a gradient check found, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnncli.inspection.gradcheck.error_map import ErrorMap


class Verdict(StrEnum):
    """Of a number, a tensor or the whole check; the whole one is PASS, FAIL or INCONCLUSIVE."""

    PASS = "PASS"
    FAIL = "FAIL"
    SUSPICIOUS = "SUSPICIOUS"
    """Off by more than rounding explains and less than an error would be, or the two oracles contradict each other."""
    KINK = "KINK"
    """The function has a corner there: backward's slope lies between the two one-sided ones, no more can be said."""
    UNCHECKED = "UNCHECKED"
    """Rounding hides the answer, or there was none."""
    INCONCLUSIVE = "INCONCLUSIVE"


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


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """FAIL if anything failed, PASS if everything passed."""
    found = set(verdicts)
    if Verdict.FAIL in found:
        return Verdict.FAIL
    return Verdict.PASS if found == {Verdict.PASS} else Verdict.INCONCLUSIVE
