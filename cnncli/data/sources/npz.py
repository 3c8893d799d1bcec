"""Arrays in a .npz file, as Keras, MedMNIST and np.savez write them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from cnncli.data.formats.npy import damaged_arrays, npz_keys, read_npz
from cnncli.data.source import Pool, Shape, Source
from cnncli.errors import DataError
from cnncli.wording import printable

_Keys = dict[str, tuple[str, str]]

_CONVENTIONS: tuple[_Keys, ...] = (
    {"train": ("x_train", "y_train"), "val": ("x_val", "y_val"), "test": ("x_test", "y_test")},
    {
        "train": ("train_images", "train_labels"),
        "val": ("val_images", "val_labels"),
        "test": ("test_images", "test_labels"),
    },
    {"train": ("images", "labels")},
    {"train": ("inputs", "targets")},
    {"train": ("x", "y")},
)


class Npz(Source):
    """Inputs (N, H, W), (N, C, H, W), (N, H, W, C) or (N, F) and their targets; memory-mapped where uncompressed.

    Integer targets are classes; real ones, and rows of several, are regression or multi-label targets.
    """

    type: ClassVar[str] = "npz"

    path: Path = Field(description="the .npz file")
    inputs: str | None = Field(None, description="name of the array of inputs; known names are found by themselves")
    targets: str | None = Field(None, description="name of the array of targets, besides inputs")
    val_inputs: str | None = Field(None, description="name of the array of validation inputs, besides inputs")
    val_targets: str | None = Field(None, description="name of the array of validation targets, besides targets")
    test_inputs: str | None = Field(None, description="name of the array of test inputs, besides inputs")
    test_targets: str | None = Field(None, description="name of the array of test targets, besides targets")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.inputs is None) != (self.targets is None):
            raise ValueError("expected inputs and targets together")
        for name in ("val", "test"):
            inputs, targets = f"{name}_inputs", f"{name}_targets"
            if (getattr(self, inputs) is None) != (getattr(self, targets) is None):
                raise ValueError(f"expected {inputs} and {targets} together")
            if self.inputs is None and getattr(self, inputs) is not None:
                raise ValueError(f"expected inputs and targets besides {inputs} and {targets}")
        return self

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Map, or read, the arrays of each split."""
        where = printable(self.path)
        pools = {}
        for name, (inputs, targets) in self._keys(self.path).items():
            labels = read_npz(self.path, targets)
            pools[name] = Pool(read_npz(self.path, inputs), labels, f"{where}: {inputs}", f"{where}: {targets}")
        return pools

    def damage(self) -> list[str]:
        """The arrays in use whose checksum is wrong; mapping them does not tell, and a compressed one was verified."""
        keys = [key for pair in self._keys(self.path).values() for key in pair]
        return [f"{printable(self.path)}: {printable(key)}" for key in damaged_arrays(self.path, keys)]

    def _keys(self, path: Path) -> _Keys:
        if self.inputs is not None and self.targets is not None:
            named = {
                "train": (self.inputs, self.targets),
                "val": (self.val_inputs, self.val_targets),
                "test": (self.test_inputs, self.test_targets),
            }
            return {name: (inputs, targets) for name, (inputs, targets) in named.items() if inputs and targets}
        present = set(npz_keys(path))
        for convention in _CONVENTIONS:
            if present.issuperset(convention["train"]):
                return {name: keys for name, keys in convention.items() if present.intersection(keys)}
        known = ", ".join("/".join(convention["train"]) for convention in _CONVENTIONS)
        listed = ", ".join(map(printable, sorted(present))) or "nothing"
        raise DataError(f"{printable(path)}: has {listed}; expected {known}, or set data.inputs and data.targets")
