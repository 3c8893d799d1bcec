"""How the numbers of each tensor are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cnncli.inspection.statistics import Statistics
from cnncli.inspection.views.charts import Chart, Charts, Series

Of = Literal["weights", "activations", "gradients"]
OF: tuple[Of, ...] = ("weights", "activations", "gradients")


@dataclass(frozen=True)
class Histogram:
    """Of one tensor, over all samples. Exact zeros are not counted in the bars, which those of a rectifier would
    dwarf, and neither is what is not finite: `statistics` tells both."""

    index: int
    """The place in the network; the input has 0."""
    node: str
    of: Of
    what: str
    """"activation", "gradient", "weight", "bias", "weight-gradient"."""
    shape: tuple[int, ...]
    """Of a sample's value, or of the parameter."""
    statistics: Statistics
    edges: tuple[float, ...]
    """Evenly spaced, 0 being one of them if it lies between; none where there is nothing to count."""
    counts: tuple[int, ...]
    """How many numbers lie between one edge and the next."""

    @property
    def title(self) -> str:
        """conv1, conv1.weight."""
        return self.node if self.what in ("activation", "gradient") else f"{self.node}.{self.what}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Mean and spread, and what the bars do not show."""
        found = self.statistics
        finite = found.size - found.nonfinite
        zeros = round(found.zeros * found.size)
        parts = [f"mean {found.mean:.3g}", f"std {found.std:.3g}"] if finite else []
        if finite and found.min == found.max:
            parts = [
                f"all {found.size:,} are {found.min:g}" if finite == found.size else f"all others are {found.min:g}"
            ]
        elif zeros:
            parts.append(f"zeros {_percent(found.zeros)} (not drawn)")
        if found.nonfinite:
            parts.append(f"{found.nonfinite:,} of {found.size:,} NaN or infinite")
        return ("   ".join(parts),)

    def chart(self, *, log: bool) -> Chart:
        """With the counts by powers of ten, if `log`."""
        counts = tuple(map(float, self.counts))
        series = (Series("", self.edges, counts),) if counts else ()
        return Chart(self.title, series, kind="steps", log_y=log, notes=self.notes)


@dataclass(frozen=True)
class HistogramsView:
    """The tensors in the order of the network: weights, then activations, then gradients."""

    samples: str | None
    """Over which samples, in words; None where there are weights alone."""
    target: str | None
    """What is differentiated; None where there are no gradients."""
    histograms: tuple[Histogram, ...]
    notes: tuple[str, ...] = ()

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity."""
        return tuple(f"{each.title} ({each.of})" for each in self.histograms if each.statistics.nonfinite)

    def groups(self) -> Iterator[tuple[Of, str, tuple[Histogram, ...]]]:
        """Those of one kind together: their kind, a title, and they themselves."""
        for of in OF:
            found = tuple(each for each in self.histograms if each.of == of)
            about = {"weights": None, "activations": self.samples, "gradients": self.target}[of]
            if found:
                yield of, of if about is None else f"{of}: {about}", found

    def charts(self, *, log: bool) -> tuple[Charts, ...]:
        """One sheet for each kind, called after it; the last one has the notes."""
        groups = list(self.groups())
        return tuple(
            Charts(of, title, tuple(each.chart(log=log) for each in found), self.notes if group is groups[-1] else ())
            for group in groups
            for of, title, found in [group]
        )


def _percent(share: float) -> str:
    """What is not quite none or all is never shown as such."""
    return f"{share:.0%}" if share in (0, 1) else f"{min(max(share, 0.001), 0.999):.1%}"
