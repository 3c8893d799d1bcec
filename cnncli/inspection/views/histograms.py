"""How the numbers of each tensor are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnncli.inspection.histograms import OF, Histogram, Of
from cnncli.inspection.views.charts import Chart, Charts, Series


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
            Charts(of, title, tuple(_chart(each, log=log) for each in found), self.notes if group is groups[-1] else ())
            for group in groups
            for of, title, found in [group]
        )


def _chart(histogram: Histogram, *, log: bool) -> Chart:
    """With the counts by powers of ten, if `log`."""
    counts = tuple(map(float, histogram.counts))
    series = (Series("", histogram.edges, counts),) if counts else ()
    return Chart(histogram.title, series, kind="steps", log_y=log, notes=histogram.notes)
