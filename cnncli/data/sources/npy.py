"""Arrays in .npy files, one for the inputs and one for the targets."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from cnncli.data.formats.npy import map_npy
from cnncli.data.source import Pool, Shape, Source
from cnncli.wording import printable


class Npy(Source):
    """Inputs (N, H, W), (N, C, H, W), (N, H, W, C) or (N, F) and their targets, memory-mapped.

    Integer targets are classes; real ones, and rows of several, are regression or multi-label targets.
    """

    type: ClassVar[str] = "npy"

    inputs: Path = Field(description="file of the training inputs")
    targets: Path = Field(description="file of the training targets")
    val_inputs: Path | None = Field(None, description="file of the validation inputs")
    val_targets: Path | None = Field(None, description="file of the validation targets")
    test_inputs: Path | None = Field(None, description="file of the test inputs")
    test_targets: Path | None = Field(None, description="file of the test targets")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        for name in ("val", "test"):
            inputs, targets = f"{name}_inputs", f"{name}_targets"
            if (getattr(self, inputs) is None) != (getattr(self, targets) is None):
                raise ValueError(f"expected {inputs} and {targets} together")
        return self

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Map the files of each split; the small one first, as it is the cheaper one to be wrong."""
        files = {
            "train": (self.inputs, self.targets),
            "val": (self.val_inputs, self.val_targets),
            "test": (self.test_inputs, self.test_targets),
        }
        pools = {}
        for name, (inputs, targets) in files.items():
            if inputs is not None and targets is not None:
                labels = map_npy(targets)
                pools[name] = Pool(map_npy(inputs), labels, printable(inputs), printable(targets))
        return pools
