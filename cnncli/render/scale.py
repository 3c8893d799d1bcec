"""Which values share one colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.render.colors import Limits
from cnncli.render.text import number, percent

if TYPE_CHECKING:
    from cnncli.inspection.views import Panel, PanelsView

MODES = ("layer", "map", "net")


@dataclass(frozen=True)
class Scale:
    """Mode "layer", "map" or "net": one scale for each, from its own values; "fixed": the limits given."""

    mode: str = "layer"
    fixed: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def parse(cls, text: str) -> Scale:
        """From "layer", "map", "net" or "fixed:LO,HI". Raises UsageError."""
        if text in MODES:
            return cls(text)
        expected = f"--scale {text}: expected layer, map, net or fixed:LO,HI with numbers LO < HI, as in fixed:-1,1"
        word, _, ends = text.partition(":")
        try:
            low, high = map(float, ends.split(","))
        except ValueError:
            raise UsageError(expected) from None
        if word != "fixed" or not (low < high and np.isfinite(high - low)):
            raise UsageError(expected)
        return cls("fixed", (low, high))

    def __str__(self) -> str:
        return self.mode if self.mode != "fixed" else "fixed:" + ",".join(f"{end:g}" for end in self.fixed)

    def limits(self, view: PanelsView, panel: Panel) -> tuple[Limits, ...]:
        """The limits of every block of the panel."""
        blocks = len(panel.maps)
        if self.mode == "fixed":
            low, high = self.fixed
            return (Limits(low, high, "diverging" if low < 0 else "viridis"),) * blocks
        if self.mode == "map":
            return tuple(Limits.of(*extent(block), signed=panel.signed) for block in panel.maps)
        among = [panel] if self.mode == "layer" else [other for other in view.panels if other.what == panel.what]
        signed = any(other.signed for other in among)
        ends = [end for other in among for end in (other.statistics.min, other.statistics.max) if np.isfinite(end)]
        return (Limits.of(min(ends, default=0.0), max(ends, default=0.0), signed=signed),) * blocks

    @staticmethod
    def widest(limits: Sequence[Limits]) -> Limits:
        """Those that a colour bar for all is drawn with."""
        return max(limits, key=lambda each: each.reach)

    def describe(self, panel: Panel, limits: tuple[Limits, ...]) -> str:
        """The scale as it is printed beside a picture: its name, its limits, and what they cut off."""
        if self.mode == "map":
            return f"map, each {'+-max|x|' if panel.signed else '0 to its max'}"
        low, high = number(limits[0].vmin), number(limits[0].vmax)
        clipped = limits[0].clipped(panel.maps) if self.mode == "fixed" else 0.0
        beyond = f", {percent(clipped)} beyond" if clipped else ""
        return f"{self.mode} [{low}, {high}]{beyond}"


def extent(values: NDArray[Any]) -> tuple[float, float]:
    """The least and the largest finite value; 0 and 0 if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
