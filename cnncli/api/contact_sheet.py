"""What the network really gets in training: samples, augmented, with their labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_name, has_classes, names_of
from cnncli.api.samples import spread_over
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.augmentation import Augmentation
from cnncli.data.dataset import Split
from cnncli.data.display import to_picture
from cnncli.data.loading import Batch, Loader
from cnncli.errors import DataError
from cnncli.inspection.options import at_least
from cnncli.inspection.views.contact_sheet import ContactSheet, Shown, Version

Array = NDArray[Any]

FEW = 4
"""Targets up to which they are told as numbers, where they are no classes."""


def contact_sheet(
    network: Network | None = None,
    *,
    split: str = "train",
    samples: int = 8,
    epoch: int = 1,
    versions: int = 3,
    **options: Unpack[SessionOptions],
) -> ContactSheet:
    """Samples of a split beside what the network gets of them in training.

    Of "train", the first samples of `epoch`, as they are and as they come in it and the following ones, `versions`
    epochs in all: the very batches of a training, with the normalisation undone. Of other splits, which are never
    augmented, samples evenly spread. Raises what `load` does, UsageError and DataError.
    """
    at_least("--samples", samples)
    at_least("--epoch", epoch)
    at_least("--versions", versions, 0)
    session = resolve(network, options)
    data, training = session.dataset, split == "train"
    chosen = data.split(split)
    if not len(chosen):
        raise DataError(f"the {split} split holds no samples")
    augment, experiment = data.augment if training else (), session.experiment
    found: Found = {}
    if training:
        loader = Loader.of(data, experiment.loss, session.graph, experiment.train.batch_size, experiment.seed)
        indices = _first(loader, epoch, samples)
        if augment:
            found = {number: dict(_batches(loader, number, indices)) for number in range(epoch, epoch + versions)}
    else:
        indices = spread_over(len(chosen), samples).tolist()
    return ContactSheet(
        split=split,
        epoch=epoch if training else None,
        batch_size=experiment.train.batch_size,
        sampling=data.sampling,
        augment=tuple(map(_described, augment)),
        normalised=data.normalization is not None,
        samples=tuple(_shown(session, split, chosen, index, found) for index in indices),
    )


Found = dict[int, dict[int, tuple[int, Batch, int]]]
"""By epoch and sample: the number of its batch, the batch, its place in there."""


def _first(loader: Loader, epoch: int, count: int) -> list[int]:
    """The samples that an epoch begins with; each is named once."""
    order = dict.fromkeys(int(index) for indices in loader.order(epoch) for index in indices)
    return list(order)[:count]


def _batches(loader: Loader, epoch: int, wanted: list[int]) -> Iterator[tuple[int, tuple[int, Batch, int]]]:
    """For each sample that an epoch visits, its first batch there; only those batches are made."""
    missing = set(wanted)
    for number, indices in enumerate(loader.order(epoch)):
        here = missing.intersection(indices.tolist())
        if not here:
            continue
        batch = loader.batch(epoch, number, indices)
        places = indices.tolist()
        yield from ((index, (number + 1, batch, places.index(index))) for index in here)
        missing -= here
        if not missing:
            return


def _shown(session: Session, split: str, samples: Split, index: int, found: Found) -> Shown:
    original = samples.raw([index])[0]
    versions = []
    for epoch, by_sample in found.items():
        if index in by_sample:
            number, batch, place = by_sample[index]
            with np.errstate(over="ignore", invalid="ignore"):
                seen = samples.scaling.undo(batch.x[place].reshape(original.shape))
            picture = to_picture(seen, original)  # as bright, so that a change of brightness is seen
            versions.append(Version(epoch, number, _label(session, batch.targets[place]), picture))
    label = _label(session, samples.targets[index])
    return Shown(f"{split}:{index}", label, to_picture(original), tuple(versions))


def _label(session: Session, target: Array) -> str:
    """The name of a class, the classes with their shares, or a few numbers."""
    if target.ndim == 0 and target.dtype.kind in "iu":
        return class_name(session, int(target))
    values = np.atleast_1d(target)
    if values.ndim == 1 and has_classes(session) and (names_of(session) is not None or values.size > 1):
        shares = np.rint(100 * values).astype(int)
        told = [
            ("" if shares[index] == 100 else f"{shares[index]}% ") + class_name(session, int(index))
            for index in np.argsort(-values, kind="stable")
            if shares[index] > 0
        ]
        return ", ".join(told) or "none"
    return ", ".join(f"{value:.4g}" for value in values.ravel()) if values.size <= FEW else f"{values.size} numbers"


def _described(augmentation: Augmentation) -> str:
    """Its name, and the options that are not the default, as in the configuration."""
    options = augmentation.model_dump(exclude={"type"}, exclude_defaults=True)
    told = "".join(f", {key}: {_in_yaml(value)}" for key, value in options.items())
    return f"{{type: {augmentation.type}{told}}}" if told else augmentation.type


def _in_yaml(value: Any) -> str:
    """A word, a number, or a list of numbers."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_in_yaml, value))}]"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
