"""What a view is about: the input, and what the network made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Subject:
    """What the network was shown, what it made of it, and what is differentiated: ready to be printed."""

    input: str
    """Where it came from: "test:17", a file name."""
    samples: int = 1
    sample: int = 0
    """Which of the samples the pictures and values show."""
    picture: Array | None = None
    """That sample as it looks, de-normalised: uint8 (H, W) or (H, W, 3)."""
    true: str | None = None
    predicted: str | None = None
    target: str | None = None
    """The objective of a gradient: "loss of label Coat", "logit of class Coat", "given upstream"."""
