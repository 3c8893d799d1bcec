"""What was measured, as plain data. Only ratios within one run on a quiet machine mean something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Spread:
    """Of one number over all steps."""

    median: float
    min: float
    max: float


@dataclass(frozen=True)
class Speed:
    """Of one kind of step, after a warm-up."""

    images_per_second: Spread
    steps: int


@dataclass(frozen=True)
class Cost:
    """What a layer takes in a training step on one thread: medians over the steps.

    `flops` are the operations of its matrix products, forward and back, two for each multiply-accumulate, and
    `floor_seconds` is what these take as plain products, without anything that prepares them; both are 0 for a layer
    that has none. A layer that the loss does not read, as a final softmax that it contains, takes no time.
    """

    name: str
    type: str
    shape: Shape | None  # of a sample of the output, where there is such a thing
    forward_seconds: float
    backward_seconds: float
    flops: int
    gflops_per_second: float
    floor_seconds: float
    floor_share: float  # of the time

    @classmethod
    def of(
        cls,
        name: str,
        type: str,
        seconds: tuple[float, float],
        *,
        shape: Shape | None = None,
        flops: int = 0,
        floor: float = 0.0,
    ) -> Self:
        """With the ratios; `seconds` are forward and backward."""
        total = sum(seconds)
        rate, share = (flops / total / 1e9, floor / total) if total else (0.0, 0.0)
        return cls(name, type, shape, *seconds, flops, rate, floor, share)

    @property
    def seconds(self) -> float:
        """Forward and back."""
        return self.forward_seconds + self.backward_seconds


@dataclass(frozen=True)
class LayerCosts:
    """All that a training step takes but the optimizer's update: `total` is the sum of a row for each layer, of the
    loss, and of what the engine does between them (layouts, sums of gradients, calls)."""

    rows: tuple[Cost, ...]
    loss: Cost
    engine: Cost
    total: Cost


@dataclass(frozen=True)
class Bench:
    """A network at one batch size. A training step is forward, loss, backward and the optimizer's update.

    `micro_batch` is the size of the largest; `macs` are multiply-accumulate operations for one sample.
    `peak_memory_bytes` is of all processes at work, from the start of this one; None where the system does not tell.
    """

    name: str
    dtype: str
    workers: int
    optimizer: str
    parameters: int
    macs: int
    batch_size: int
    micro_batch: int
    training: Speed
    inference: Speed
    peak_memory_bytes: int | None
    layers: LayerCosts | None  # where they were asked for
