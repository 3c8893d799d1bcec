"""Are the inputs of a size that networks learn from, and do the targets fit the outputs?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.losses import are_classes
from cnncli.training.evaluation import check_targets
from cnncli.wording import plural

SAMPLES = 1000
LARGEST_MEAN = 1.0
SPREADS = (0.1, 5.0)
"""Bytes divided by 255, of which most are black, pass; bytes as they are, and numbers that are all alike, do not."""
NAMED = 6


def inputs(lab: Lab) -> Finding:
    """Their mean and standard deviation: initialisation and learning rates are made for about 0 and 1."""
    x, _ = lab.train.batch(np.arange(min(SAMPLES, len(lab.train))))
    expected = f"mean -{LARGEST_MEAN:g} to {LARGEST_MEAN:g}, std {SPREADS[0]:g} to {SPREADS[1]:g}"
    wrong = int(np.count_nonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1)))
    if wrong:
        fix = "remove or replace these samples; 'cnncli data check' names them"
        return Finding("FAIL", f"NaN or infinity in {wrong} of {plural(len(x), 'sample')}", expected, fix)
    mean, spread = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
    good = abs(mean) <= LARGEST_MEAN and SPREADS[0] <= spread <= SPREADS[1]
    fix = "all numbers are the same: is this the right data?" if spread == 0 else "set data.normalize: auto"
    return Finding.of(good, f"mean {mean:.2g}, std {spread:.2g}", expected, fix)


def targets(lab: Lab) -> Finding:
    """Whether every output has something to learn. Raises DataError where targets do not fit the output at all."""
    loss, dataset = lab.experiment.loss, lab.session.dataset
    check_targets(loss, lab.graph, dataset)
    given, shape = dataset.train.targets, lab.shape
    if are_classes(given, shape):
        return _classes(np.bincount(given.ravel(), minlength=shape[0]))
    encoded = loss.encode(given, shape).reshape(math.prod(shape), -1)
    if loss.link == "softmax":
        return _classes(encoded.reshape(shape[0], -1).sum(axis=1))
    constant = np.flatnonzero(encoded.min(axis=1) == encoded.max(axis=1))
    measured = f"they vary for {len(encoded) - len(constant)} of {plural(len(encoded), 'output')}"
    fix = f"nothing can be learnt about output {_listed(constant)}: leave out these columns of the targets"
    return Finding.of(not len(constant), measured, "for all", fix)


def _classes(counts: NDArray[Any]) -> Finding:
    absent = np.flatnonzero(counts == 0)
    each = " to ".join(dict.fromkeys(f"{count:,.0f}" for count in (counts.min(), counts.max())))
    measured = f"{len(counts) - len(absent)} of {len(counts)} classes, {each} each"
    fix = (
        f"no training sample is of class {_listed(absent)}: give the last layer as many outputs as there are classes, "
        "or see whether samples are missing"
    )
    return Finding.of(not len(absent), measured, "samples of every class", fix)


def _listed(places: NDArray[Any]) -> str:
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return ", ".join(map(str, places[:NAMED])) + more


INPUTS = Check("inputs", inputs, needs_targets=False)
TARGETS = Check("targets", targets)
