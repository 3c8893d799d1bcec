"""Every sample of a data set, read once, and what is wrong with them."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_name
from cnncli.api.data_findings import class_numbers, findings, is_multi_label
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.check import Scan, scan
from cnncli.data.dataset import Dataset
from cnncli.data.normalization import unit_of
from cnncli.errors import UsageError
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.views.data_check import ClassCount, DataCheck, SplitFacts

Array = NDArray[Any]


def check_data(
    network: Network | None = None, *, progress: Progress = silent, **options: Unpack[SessionOptions]
) -> DataCheck:
    """What the configured data holds: sizes, numbers, classes, and what is wrong or may be.

    Wrong are files that cannot be read, NaN and infinity, targets that the network cannot learn, classes without
    training samples, the same sample in two splits, and the same with different targets. Memory is constant but for a
    few bytes a sample. Raises what `load` does, UsageError, and DataError where the data cannot be opened at all.
    """
    session = resolve(network, options)
    source = session.experiment.data
    if source is None:
        raise UsageError("this needs data, and the configuration has none; add data: {source: ...}")
    # Not normalised: that would read everything once more, and would end at the first unreadable file.
    data = source.model_copy(update={"normalize": None}).open(session.graph.input_shape, seed=session.experiment.seed)
    scans, done, total = {}, 0, sum(map(len, data.splits.values()))
    for name, split in data.splits.items():
        for found in scan(split):
            scans[name] = found
            progress(done + found.seen, total)
        done += len(split)
    wrong = findings(session, data, scans)
    severities = {finding.severity for finding in wrong}
    return DataCheck(
        source=source.type,
        verdict="wrong" if "wrong" in severities else "warnings" if severities else "fine",
        splits=tuple(_facts(name, found) for name, found in scans.items()),
        classes=_classes(session, data),
        findings=tuple(wrong),
    )


def _facts(name: str, found: Scan) -> SplitFacts:
    store, unit = found.split.store, unit_of(found.split.store.dtype)
    sizes = sorted(found.sizes, key=lambda size: (size[0] * size[1], size))
    return SplitFacts(
        name=name,
        samples=len(found.split),
        shape=store.shape[1:],
        dtype=store.dtype.name,
        low=found.low if found.low <= found.high else None,
        high=found.high if found.low <= found.high else None,
        mean=tuple((found.spread.mean / unit).tolist()),
        std=tuple((found.spread.std / unit).tolist()),
        targets=_targets(found.split.targets),
        smallest=sizes[0] if sizes else None,
        largest=sizes[-1] if sizes else None,
    )


def _targets(targets: Array) -> str:
    if not len(targets):
        return "none"
    low, high = f"{targets.min():.4g}", f"{targets.max():.4g}"
    if targets.ndim == 1:
        return f"{low} to {high}"
    if is_multi_label(targets):
        return f"{targets.shape[1]} labels, {targets.sum() / len(targets):.2g} a sample"
    count = int(np.prod(targets.shape[1:]))
    return f"{count:,} number{'' if count == 1 else 's'}, {low} to {high}"


def _classes(session: Session, data: Dataset) -> tuple[ClassCount, ...]:
    """Samples of each class, or with each label, in each split."""
    splits = data.splits
    if is_multi_label(data.train.targets):
        counts = {
            name: dict(enumerate(split.targets.sum(axis=0).astype(int).tolist())) for name, split in splits.items()
        }
    elif numbers := class_numbers(session, data):
        tallies = {name: np.unique(split.targets, return_counts=True) for name, split in splits.items()}
        counts = {name: dict(zip(*map(np.ndarray.tolist, tally), strict=True)) for name, tally in tallies.items()}
        counts = {name: {number: tally.get(number, 0) for number in numbers} for name, tally in counts.items()}
    else:
        return ()
    return tuple(
        ClassCount(number, class_name(session, number), {name: tally[number] for name, tally in counts.items()})
        for number in counts["train"]
    )
