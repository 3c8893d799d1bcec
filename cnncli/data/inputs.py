"""What --input means: a picture, a sample of the configured data, or numbers in a file.

picture.png      resized, grey or colour as the network's input is, and normalised as the data is
test:17          sample 17 (from 0) of a split
x.npy            numbers, fed as they are; so are x.npz (one array), x.npz:key and text (.txt, .csv, .tsv)
batch.npz        the arrays `inputs` and `targets`: samples with what is right for each, as a training saves them
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import SPLITS, Dataset
from cnncli.data.display import to_picture
from cnncli.data.files import require_memory
from cnncli.data.formats.npy import map_npy, npz_keys, read_npz
from cnncli.data.formats.picture import read_pictures
from cnncli.data.formats.text import read_text
from cnncli.data.normalization import Scaling
from cnncli.data.source import Source
from cnncli.errors import DataError
from cnncli.wording import printable

Array = NDArray[Any]
Shape = tuple[int, ...]

_TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
_NPZ_KEY = re.compile(r"(.+\.npz):(.+)", re.IGNORECASE | re.DOTALL)
_SAMPLE = re.compile(rf"({'|'.join(SPLITS)}):(.*)", re.DOTALL)
_INDEX = re.compile(r"[0-9]{1,18}")

INPUTS, TARGETS = "inputs", "targets"
"""The arrays of a .npz file that holds samples with what is right for each."""


@dataclass(frozen=True, eq=False)
class Input:
    """Inputs as the network takes them; a name and a picture for each."""

    x: Array  # (N, *shape), float32 or float64
    labels: tuple[Array | None, ...]  # what is right, as a split has it; None where that is not known
    names: tuple[str, ...]
    pictures: tuple[NDArray[np.uint8] | None, ...]  # (H, W) or (H, W, 3); None for what cannot be looked at
    made_up: bool = False
    """Whether they, and what would be right, are random numbers that stand in for inputs."""

    @cached_property
    def targets(self) -> Array | None:
        """The labels as one array, (N, ...); None where they are not known of every input."""
        known = [label for label in self.labels if label is not None]
        return np.stack(known) if known and len(known) == len(self.labels) else None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, samples: slice) -> Input:
        """Some of them."""
        return replace(
            self,
            x=self.x[samples],
            labels=self.labels[samples],
            names=self.names[samples],
            pictures=self.pictures[samples],
        )


def labels_of(targets: Array | None, count: int) -> tuple[Array | None, ...]:
    """The targets of `count` inputs, (N, ...), one by one."""
    return (None,) * count if targets is None else tuple(targets)


def resolve(specs: Sequence[str], shape: Shape, source: Source | None, dataset: Callable[[], Dataset]) -> Input:
    """All inputs that `specs` mean, one after the other, for a network that takes `shape`.

    `source` is the configured data, `dataset` gives it opened: that is called only where an input needs it.
    Raises DataError, which names the input, and what `dataset` raises.
    """
    if not specs:
        raise DataError("no input is given; expected a picture, train:0, val:0, test:0, or a file of numbers")
    parts = [_resolve(spec, shape, source, dataset) for spec in specs]
    return Input(
        x=np.concatenate([part.x for part in parts]),
        labels=tuple(label for part in parts for label in part.labels),
        names=tuple(name for part in parts for name in part.names),
        pictures=tuple(picture for part in parts for picture in part.pictures),
    )


def read_array(spec: str, shape: Shape) -> Array:
    """The numbers in a file (see the head of this module) as (N, *shape), float32 or float64.

    Taken are (N, *shape), `shape`, and `shape` without its first axis where that is 1. NaN and infinity pass.
    """
    array = _read_numbers(spec)
    if array.shape[1:] == shape:
        batch = array
    elif array.shape == shape or (shape[0] == 1 and array.shape == shape[1:]) or _is_column(array, shape):
        batch = array.reshape(1, *shape)
    else:
        accepted = [(*shape,), ("N", *shape)] + ([shape[1:]] if shape[0] == 1 and len(shape) > 1 else [])
        listed = " or ".join(f"({', '.join(map(str, sizes))})" for sizes in accepted)
        raise DataError(f"{printable(spec)}: has shape {array.shape}; expected {listed}")
    require_memory(batch.size * 8, printable(spec), "give fewer samples")
    dtype = np.result_type(batch.dtype, np.float32)
    return np.array(batch, np.float32 if dtype == np.float32 else np.float64, order="C")


def _resolve(spec: str, shape: Shape, source: Source | None, dataset: Callable[[], Dataset]) -> Input:
    if sample := _SAMPLE.fullmatch(spec):
        return _sample(spec, sample[1], sample[2], dataset)
    if holds_numbers(spec):
        return _numbers(spec, shape)
    return _picture(spec, shape, source, dataset)


def _sample(spec: str, name: str, number: str, dataset: Callable[[], Dataset]) -> Input:
    split = dataset().split(name)
    if not _INDEX.fullmatch(number) or int(number) >= len(split):
        count = len(split)
        raise DataError(f"{printable(spec)}: expected {name}:0 to {name}:{count - 1}; there are {count:,} samples")
    x, targets = split.batch([int(number)])
    return Input(x, tuple(targets), (spec,), (split.display(int(number)),))


def _numbers(spec: str, shape: Shape) -> Input:
    labelled = _is_labelled(spec)
    x = read_array(f"{spec}:{INPUTS}" if labelled else spec, shape)
    targets = _targets(spec, len(x)) if labelled else None
    names = (spec,) if len(x) == 1 else tuple(f"{spec}[{index}]" for index in range(len(x)))
    visible = len(shape) == 3 and shape[0] in (1, 3)
    return Input(x, labels_of(targets, len(x)), names, tuple(to_picture(sample) if visible else None for sample in x))


def _is_labelled(spec: str) -> bool:
    """Whether it is a .npz file with samples and targets, and no one array of it is named."""
    path = Path(spec)
    return path.suffix.lower() == ".npz" and {INPUTS, TARGETS} <= set(npz_keys(path))


def _targets(spec: str, count: int) -> Array:
    """Those of the samples of a .npz file, (N, ...): classes as int64, other numbers as float32."""
    targets = read_npz(Path(spec), TARGETS)
    if targets.ndim == 0 or len(targets) != count:
        raise DataError(
            f"{printable(spec)}: has {count} {INPUTS}, and {TARGETS} of shape {targets.shape}; expected one for each"
        )
    return np.array(targets, np.int64 if targets.dtype.kind in "iu" else np.float32)


def _picture(spec: str, shape: Shape, source: Source | None, dataset: Callable[[], Dataset]) -> Input:
    picture_shape = _square(shape) if len(shape) == 1 else shape
    pixels = read_pictures([Path(spec)], picture_shape, source.picture_resize if source else "stretch")
    normalization = source.normalize if source else None
    scaling = Scaling.of(
        dataset().normalization if normalization == "auto" else normalization, pixels.dtype, picture_shape
    )
    return Input(scaling.apply(pixels).reshape(1, *shape), (None,), (spec,), (to_picture(pixels[0]),))


def _square(shape: Shape) -> Shape:
    """The square picture, grey or colour, that has as many numbers as a flat input; the input where none has."""
    for channels in (1, 3):
        side = math.isqrt(shape[0] // channels)
        if channels * side**2 == shape[0]:
            return (channels, side, side)
    return shape


def holds_numbers(spec: str) -> bool:
    """Whether `read_array` is to read it: by its ending alone."""
    return _NPZ_KEY.fullmatch(spec) is not None or Path(spec).suffix.lower() in (".npy", ".npz", *_TEXT_SUFFIXES)


def _read_numbers(spec: str) -> Array:
    if keyed := _NPZ_KEY.fullmatch(spec):
        return read_npz(Path(keyed[1]), keyed[2])
    path = Path(spec)
    match path.suffix.lower():
        case ".npy":
            return map_npy(path)
        case ".npz":
            return read_npz(path, _only_key(path))
        case suffix if suffix in _TEXT_SUFFIXES:
            return read_text(path)
    raise DataError(f"{printable(path)}: expected numbers in .npy, .npz, .npz:key or {', '.join(_TEXT_SUFFIXES)}")


def _only_key(path: Path) -> str:
    keys = npz_keys(path)
    if len(keys) != 1:
        listed = ", ".join(map(printable, keys)) or "no arrays"
        raise DataError(f"{printable(path)}: has {listed}; expected one array, or its name: {printable(path)}:KEY")
    return keys[0]


def _is_column(array: Array, shape: Shape) -> bool:
    return len(shape) == 1 and array.shape == (shape[0], 1)
