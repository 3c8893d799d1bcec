"""What is wrong with a data set that was read as a whole, and what may be: one function for each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_count, class_name, is_binary
from cnncli.api.session import Session
from cnncli.data.check import Scan, name_of, twins
from cnncli.data.dataset import Dataset
from cnncli.engine import LossObjective
from cnncli.errors import DataError
from cnncli.inspection.views.data_check import Finding, Severity
from cnncli.losses import are_classes
from cnncli.wording import plural

Array = NDArray[Any]
Scans = Mapping[str, Scan]

EXAMPLES = 5
"""Samples that are named of each finding."""
UNEQUAL = 10
"""Times as many samples of one class as of another that are told of."""
TOLERATED = 0.01
"""A smaller share of samples that are elsewhere too, as well-known data sets have them, cannot change a result much."""
LARGE = 10.0
"""Numbers beyond it are none that a network learns well from as they are."""
PIECE = 4096
"""Targets that are looked at together."""


def findings(session: Session, data: Dataset, scans: Scans) -> list[Finding]:
    """All of them, what is wrong first."""
    found = [
        *_unreadable(scans),
        *_damaged(session),
        *_nonfinite(scans),
        *_unfit(session, scans),
        *_missing(session, data),
        *_same(session, scans),
        *_constant(scans),
        *_imbalance(session, data),
        *_scale(session, scans),
    ]
    return sorted(found, key=lambda finding: finding.severity != "wrong")


def class_numbers(session: Session, data: Dataset) -> tuple[int, ...]:
    """The classes that the network knows, that the data names, and that samples have; none where targets are others."""
    targets, graph = data.train.targets, session.graph
    if targets.ndim > 1 or targets.dtype.kind not in "iu" or len(graph.output.shape) != 1:
        return ()
    if not is_binary(session) and not are_classes(targets, graph.shape_of(graph.logits(session.experiment.loss.link))):
        return ()
    known = range(max(class_count(session), len(data.class_names or ())))
    present = {int(number) for split in data.splits.values() for number in np.unique(split.targets)}
    return tuple(sorted(present.union(known)))


def is_multi_label(targets: Array) -> bool:
    """Whether each sample has several answers that are yes or no, (N, K)."""
    return targets.ndim == 2 and targets.shape[1] > 1 and bool(np.isin(targets, (0, 1)).all())


def _unreadable(scans: Scans) -> Iterator[Finding]:
    for name, found in scans.items():
        if count := len(found.unreadable):
            message = f"{count:,} of {plural(len(found.split), 'sample')} cannot be read"
            reasons = tuple(reason for _, reason in sorted(found.unreadable.items()))
            yield Finding("wrong", "unreadable", name, count, message, reasons)


def _damaged(session: Session) -> Iterator[Finding]:
    """What can be read, but is no longer what was written."""
    source = session.experiment.data
    if source is not None and (damaged := source.damage()):
        count = len(damaged)
        message = f"{plural(count, 'array')} {_has(count, '')} another checksum than was stored; get a good copy"
        yield Finding("wrong", "damaged", "all", count, message, tuple(damaged))


def _nonfinite(scans: Scans) -> Iterator[Finding]:
    for name, found in scans.items():
        if count := len(found.nonfinite):
            yield Finding(
                "wrong",
                "not finite",
                name,
                count,
                f"{_has(count)} NaN or infinity",
                _names(scans, name, found.nonfinite),
            )


def _unfit(session: Session, scans: Scans) -> Iterator[Finding]:
    """Targets that the loss refuses."""

    def complaint(targets: Array) -> str | None:
        try:
            LossObjective.of(session.experiment.loss, session.graph, targets)
        except DataError as error:
            return str(error)
        return None

    for name, found in scans.items():
        targets = found.split.targets
        # In pieces, since what a loss makes of targets may be a thousand times as large.
        pieces = [slice(start, start + PIECE) for start in range(0, len(targets), PIECE)]
        unfit = [
            index
            for piece in pieces
            if complaint(targets[piece])
            for index in range(len(targets))[piece]
            if complaint(targets[index : index + 1])
        ]
        if unfit and (message := complaint(targets)):  # of all together: so it tells samples by their index
            yield Finding("wrong", "targets", name, len(unfit), message, _names(scans, name, unfit))


def _missing(session: Session, data: Dataset) -> Iterator[Finding]:
    numbers = class_numbers(session, data)
    for name, split in data.splits.items():
        present = set(np.unique(split.targets).tolist()) if numbers else set()
        missing = [class_name(session, number) for number in numbers if number not in present]
        if missing:
            few = ", ".join(missing[:EXAMPLES]) + (", ..." if len(missing) > EXAMPLES else "")
            message = f"no sample of {len(missing):,} of the {len(numbers):,} classes: {few}"
            severity: Severity = "wrong" if name == "train" else "warning"
            yield Finding(severity, "missing", name, len(missing), message)


def _constant(scans: Scans) -> Iterator[Finding]:
    for name, found in scans.items():
        if count := len(found.constant):
            message = f"{plural(count, 'sample')} of one colour: all numbers are the same"
            yield Finding("warning", "blank", name, count, message, _names(scans, name, found.constant))


def _imbalance(session: Session, data: Dataset) -> Iterator[Finding]:
    if not class_numbers(session, data):
        return
    classes, counts = np.unique(data.train.targets, return_counts=True)
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= UNEQUAL * counts[least]:
        large, small = (f"{class_name(session, int(classes[at]))} ({counts[at]:,})" for at in (most, least))
        fix = "consider data.sampling: balanced, or train.class_weight: balanced"
        message = f"{counts[most] / counts[least]:.0f} times as many samples of {large} as of {small}; {fix}"
        yield Finding("warning", "imbalance", "train", int(counts[least]), message)


def _scale(session: Session, scans: Scans) -> Iterator[Finding]:
    """Numbers that are no bytes go into the network as they are, unless they are normalised."""
    train, source = scans["train"], session.experiment.data
    largest = max(abs(train.low), abs(train.high))
    if (
        source is not None
        and source.normalize is None
        and train.split.store.dtype != np.uint8
        and LARGE < largest < np.inf
    ):
        message = f"numbers from {train.low:.4g} to {train.high:.4g}, and data.normalize is not set; set it to auto"
        yield Finding("warning", "scale", "train", len(train.split), message)


# The same sample twice


@dataclass(frozen=True)
class _Sample:
    """Where it is, and its name."""

    split: str
    index: int
    name: str


def _same(session: Session, scans: Scans) -> Iterator[Finding]:
    """Leakage from one split into another, twins with different targets, twins within a split."""
    groups = [
        [_Sample(split, index, name_of(scans[split].split, split, index)) for split, index in group.members]
        for group in twins(scans)
    ]
    for first, second in combinations(scans, 2):
        leaks = [pair for group in groups for pair in _pairs(_of(group, first), _of(group, second))]
        if leaks:
            count = len({after.index for _, after in leaks})
            share = count / len(scans[second].split)
            message = f"{plural(count, 'sample')} ({share:.2%}) {_are(count)} also in {first}"
            told = _told((b.name, a.name) for a, b in leaks)
            yield Finding(_severity(share), "leakage", second, count, message, told)
    yield from _conflicts(session, scans, groups)
    for split in scans:
        repeated = [pair for group in groups for pair in _pairs(_of(group, split)[:1], _of(group, split)[1:])]
        if repeated:
            count = len(repeated)
            message = f"{plural(count, 'sample')} {_are(count)} there more than once"
            yield Finding("warning", "duplicates", split, count, message, _told((b.name, a.name) for a, b in repeated))


def _conflicts(session: Session, scans: Scans, groups: Sequence[Sequence[_Sample]]) -> Iterator[Finding]:
    def target(sample: _Sample) -> Array:
        return np.asarray(scans[sample.split].split.targets[sample.index])

    pairs = []
    for first, *others in groups:
        other = next((each for each in others if not np.array_equal(target(first), target(each))), None)
        if other is not None:
            pairs.append(tuple(f"{each.name} {_told_target(session, target(each))}" for each in (first, other)))
    if pairs:
        message = f"{plural(len(pairs), 'sample')} {_has(len(pairs), '')} different targets in different places"
        share = len(pairs) / sum(len(found.split) for found in scans.values())
        yield Finding(_severity(share), "conflict", "all", len(pairs), message, _told(pairs))


def _severity(share: float) -> Severity:
    return "warning" if share < TOLERATED else "wrong"


def _of(group: Sequence[_Sample], split: str) -> list[_Sample]:
    return [sample for sample in group if sample.split == split]


def _pairs(ones: Sequence[_Sample], others: Sequence[_Sample]) -> list[tuple[_Sample, _Sample]]:
    """Each of the others beside the first one."""
    return [(ones[0], other) for other in others] if ones else []


def _told(pairs: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The first few, "test:3 = train:17"."""
    return tuple(" = ".join(pair) for _, pair in zip(range(EXAMPLES), pairs, strict=False))


def _told_target(session: Session, target: Array) -> str:
    if target.ndim == 0:
        return f"({class_name(session, int(target))})"
    return f"({', '.join(f'{value:.4g}' for value in target.ravel()[:EXAMPLES])})"


def _names(scans: Scans, name: str, indices: Sequence[int]) -> tuple[str, ...]:
    return tuple(name_of(scans[name].split, name, index) for index in indices[:EXAMPLES])


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int, noun: str = "sample") -> str:
    verb = "has" if count == 1 else "have"
    return f"{plural(count, noun)} {verb}" if noun else verb
