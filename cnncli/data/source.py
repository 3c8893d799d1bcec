"""The source of a data set: its options in YAML, and how its samples become splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from cnncli.data.arrange import arrange_inputs, clean_targets
from cnncli.data.augmentation import AnyAugmentation
from cnncli.data.dataset import Dataset, Sampling, Split
from cnncli.data.files import locate, require_path
from cnncli.data.formats.resize import Resize
from cnncli.data.normalization import Normalization, Scaling, measure
from cnncli.data.sampling import draw
from cnncli.data.stores import Store
from cnncli.errors import DataError

Array = NDArray[Any]
Shape = tuple[int, ...]

_STREAMS = {"limit": 0, "test": 1, "val": 2}  # random streams of one seed


def _share(value: object) -> object:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    is_fraction = isinstance(value, float) and 0 <= value < 1
    if value is not None and not is_count and not is_fraction:
        raise ValueError("expected a fraction from 0 to below 1 (0.1) or a number of samples (500)")
    return value


def check_class_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, if they differ and can be printed; else ValueError."""
    for index, name in enumerate(names):
        if not name or not name.isprintable():
            raise ValueError(f"the name of class {index}, {name!r}, cannot be printed")
        if name in names[:index]:
            raise ValueError(f"class {index} has the same name as class {names.index(name)}, {name!r}")
    return names


def _normalize_kind(value: object) -> str | None:
    if isinstance(value, str):
        return "auto" if value == "auto" else None
    return "numbers" if isinstance(value, Mapping | Normalization) else None


Share = Annotated[int | float, BeforeValidator(_share)]
ClassNames = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(check_class_names)]
Normalize = Annotated[
    Annotated[Normalization, Tag("numbers")] | Annotated[Literal["auto"], Tag("auto")],
    Discriminator(
        _normalize_kind,
        custom_error_type="normalize",
        custom_error_message="expected auto, or {mean: [...], std: [...]} with one number a channel",
    ),
]


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples as a source has them: inputs (M, ...), targets (M, ...), and what to call each in a message."""

    inputs: Array | Store
    targets: Array
    inputs_from: str
    targets_from: str


@dataclass(frozen=True, eq=False)
class _Part:
    """A split in the making: which rows of which samples."""

    pool: Pool
    store: Array | Store  # (M, *shape as stored)
    targets: Array  # (M,) or (M, *shape)
    rows: NDArray[np.int64]

    def split(self, shape: Shape, normalization: Normalization | None) -> Split:
        scaling = Scaling.of(normalization, self.store.dtype, self.store.shape[1:])
        return Split(self.store, self.rows, self.targets[self.rows], shape, scaling)


class Source(BaseModel):
    """One kind of data; its fields are its options in YAML. A kind overrides `read`."""

    # Deferred, since a configuration uses one kind of many, and building a schema takes milliseconds.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    type: ClassVar[str]
    """The name in YAML, under `source`."""

    validation: Share = Field(
        0.1, description="a fraction or number of the training samples, where the data has no validation samples"
    )
    test: Share | None = Field(
        None, description="a fraction or number of the training samples, where the data has no test samples"
    )
    normalize: Normalize | None = Field(
        None, description="{mean: [...], std: [...]} in units of 0..1, or auto: those of the training split"
    )
    limit: int | None = Field(
        None, ge=1, description="use so many training samples at most (before any are held out), and of the others too"
    )
    classes: ClassNames | None = Field(None, description="names of the classes 0, 1, ...")
    augment: tuple[AnyAugmentation, ...] = Field(
        (), description="random changes to training samples, one after the other, as [horizontal_flip]"
    )
    sampling: Sampling = Field(
        "shuffle", description="shuffle: every training sample once an epoch; balanced: every class equally often"
    )

    @property
    def picture_resize(self) -> Resize:
        """How a picture of another size is brought to the network's."""
        return "stretch"

    def class_names(self) -> tuple[str, ...] | None:
        """Those of the classes 0, 1, ..., where the options or the data tell; no sample is read. Raises DataError."""
        return self.classes

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """The samples: "train", and "val" and "test" where the data has them. Cheap checks come first."""
        raise NotImplementedError

    def damage(self) -> list[str]:
        """What has other bytes than were stored, where the files tell and `open` does not see it; reads it all."""
        return []

    def open(self, input_shape: Shape, *, seed: int) -> Dataset:
        """The data set, for a network that takes `input_shape`.

        What is held out is drawn by `seed`, each class in its share. Raises DataError for whatever is wrong
        with the files or does not fit the network.
        """
        for option, path in self.paths.items():
            require_path(path, f"data.{option}")
        pools = self.read(input_shape, seed=seed)
        if self.test and "test" in pools:
            raise DataError(f"data.test is {self.test}, but the data has test samples of its own; remove data.test")
        class_names = self.class_names()
        parts = self._parts(pools, input_shape, seed)
        for part in parts.values():
            _check_classes(part, class_names)
        for name, share in (("test", self.test), ("val", self.validation)):
            if name not in parts and share:
                parts["train"], parts[name] = _hold_out(parts["train"], share, name, seed)
        train = parts["train"]
        normalization = measure(train.store, train.rows) if self.normalize == "auto" else self.normalize
        splits = {name: part.split(input_shape, normalization) for name, part in parts.items()}
        return Dataset(
            splits["train"],
            splits.get("val"),
            splits.get("test"),
            class_names,
            normalization,
            self.augment,
            self.sampling,
        )

    @property
    def paths(self) -> dict[str, Path]:
        """The options that are paths."""
        return {option: value for option, value in self if isinstance(value, Path)}

    def located(self, bases: Mapping[str, Path]) -> Self:
        """The same source with absolute paths, ~ being the home folder: relative ones start at their option's base."""
        return self.model_copy(update={option: locate(bases[option], path) for option, path in self.paths.items()})

    def resolved(self, dataset: Dataset) -> Self:
        """The same source with what the opened data told: the names of its classes, the numbers of `normalize`."""
        return self.model_copy(update={"classes": dataset.class_names, "normalize": dataset.normalization})

    def limited(self, targets: Array, seed: int) -> NDArray[np.int64]:
        """The rows that `limit` leaves, ascending; each class in its share."""
        if self.limit is None or len(targets) <= self.limit:
            return np.arange(len(targets))
        return draw(targets, self.limit, np.random.default_rng([seed, _STREAMS["limit"]]))

    def _parts(self, pools: Mapping[str, Pool], input_shape: Shape, seed: int) -> dict[str, _Part]:
        first = pools["train"]
        for pool in pools.values():
            _check_alike(pool.inputs_from, pool.inputs, first.inputs_from, first.inputs)
        parts = {name: self._part(pool, input_shape, seed) for name, pool in pools.items()}
        for part in parts.values():
            _check_alike(part.pool.targets_from, part.targets, first.targets_from, parts["train"].targets)
        return parts

    def _part(self, pool: Pool, input_shape: Shape, seed: int) -> _Part:
        store = arrange_inputs(pool.inputs, input_shape, pool.inputs_from)
        targets = clean_targets(pool.targets, pool.targets_from)
        if len(store) != len(targets):
            raise DataError(
                f"{pool.inputs_from} has {len(store):,} samples, but {pool.targets_from} has {len(targets):,} targets; "
                "expected as many"
            )
        return _Part(pool, store, targets, self.limited(targets, seed))


def _check_alike(where: str, array: Array | Store, train_where: str, train: Array | Store) -> None:
    """The splits must agree in the shape of samples and in the kind of numbers: bytes are scaled, others not."""
    if (array.dtype == np.uint8) != (train.dtype == np.uint8) or array.dtype.kind != train.dtype.kind:
        raise DataError(f"{where} holds {array.dtype}, but {train_where} {train.dtype}; expected the same in both")
    if array.shape[1:] != train.shape[1:]:
        raise DataError(
            f"{where} has samples {array.shape[1:]}, but {train_where} {train.shape[1:]}; expected the same"
        )


def _check_classes(part: _Part, class_names: tuple[str, ...] | None) -> None:
    if class_names is None:
        return
    where, count = part.pool.targets_from, len(class_names)
    if part.targets.ndim > 1:
        if part.targets.shape[1:] != (count,):
            raise DataError(f"{where}: the targets are {part.targets.shape[1:]}, but data.classes names {count}")
    elif part.targets[worst := int(part.targets.argmax())] >= count:
        given = f"the class of sample {worst} is {part.targets[worst]}"
        raise DataError(f"{where}: {given}, but data.classes names {count}: 0 to {count - 1}")


def _hold_out(part: _Part, share: int | float, name: str, seed: int) -> tuple[_Part, _Part]:
    """What remains and what is held out."""
    available = len(part.rows)
    count = share if isinstance(share, int) else max(1, round(share * available))
    if count >= available:
        option = "data.validation" if name == "val" else "data.test"
        raise DataError(f"{option}: {share} of {available:,} samples leaves none to train on; lower it, or set it to 0")
    rng = np.random.default_rng([seed, _STREAMS[name]])
    drawn = draw(part.targets[part.rows], count, rng, spare=True)
    return replace(part, rows=np.delete(part.rows, drawn)), replace(part, rows=part.rows[drawn])
