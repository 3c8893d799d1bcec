"""Which number of the output an attribution explains, and what is said of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_index, class_name, class_words, is_binary, names_of, probabilities
from cnncli.api.objectives import logit
from cnncli.api.session import Session
from cnncli.api.subject import describe
from cnncli.data.display import to_picture
from cnncli.data.inputs import Input
from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.inspection.attribution.method import Target
from cnncli.inspection.subject import Subject

Array = NDArray[Any]


def explained(
    session: Session, executor: Executor, given: Input, wanted: str | int | None
) -> tuple[Target, tuple[Subject, ...], Array]:
    """The logit of the class `wanted`, or of the one that each input is taken for; the inputs in words; and the
    logits, (N,).

    Raises UsageError for a class that there is not, and where nothing is wanted of outputs that are no classes.
    """
    graph = session.graph
    at = graph.logits(graph.output.layer.link)
    read = graph.logits(session.experiment.loss.link)
    values = {name: executor.infer(given.x, at=name) for name in {at, read, graph.output.name}}
    shares = probabilities(session, values.__getitem__)  # (N, K)
    index, name = _index(session, None if wanted is None else str(wanted), at, values[at], shares)
    target = Target(at, index)
    outputs = target.of(values[at])
    subjects = []
    for sample, value in enumerate(outputs.tolist()):
        one = slice(sample, sample + 1)
        subject = describe(session, given[one], {key: each[one] for key, each in values.items()})
        text = name or f"logit of class {class_words(session, int(index[sample, 0]))}"
        predicted, known = subject.predicted, ""
        if (
            shares is not None
            and np.isfinite(shares[sample]).all()
            and (session.experiment.loss.link == "softmax" or is_binary(session))
        ):
            share = shares[sample]
            predicted = f"{predicted} ({_percent(share.max())})"
            known = f" ({_percent(share[1 if is_binary(session) else index[sample, 0]])})"
        picture = to_picture(given.x[sample]) if given.pictures[sample] is None else given.pictures[sample]
        subjects.append(replace(subject, picture=picture, predicted=predicted, target=f"{text} = {value:.4g}{known}"))
    return target, tuple(subjects), outputs


def _index(session: Session, wanted: str | None, at: str, logits: Array, shares: Array | None) -> tuple[Array, str]:
    """The places in the value `at`, (N, ndim), and what they are in words where that is the same for all."""
    shape, count = session.graph.shape_of(at), len(logits)
    if is_binary(session):
        yes = class_name(session, 1)
        if wanted is not None and class_index(session, wanted, "--target") != 1:
            no = class_name(session, 0)
            hint = f"its negative numbers speak for {no}; leave out --target"
            raise UsageError(f"--target {wanted}: the only output is the logit of class {yes}; {hint}")
        return np.zeros((count, 1), np.int64), f"logit of class {yes}"
    if wanted is not None:
        objective, text = logit(session, wanted)
        return np.repeat(objective.index, count, axis=0), text
    if math.prod(shape) == 1:
        return np.zeros((count, len(shape)), np.int64), "the output"
    if len(shape) == 1 and (shares is not None or names_of(session) is not None):
        return logits.argmax(axis=1)[:, None], ""
    last = ",".join(str(size - 1) for size in shape)
    first = ",".join("0" for _ in shape)
    raise UsageError(
        f"the output has the shape {shape} and is no choice among classes: say which number of it is to be explained, "
        f"--target {first} to --target {last}"
    )


def _percent(share: float) -> str:
    """What is not quite certain is not shown as such."""
    return ">99.9%" if 0.9995 <= share < 1 else "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"
