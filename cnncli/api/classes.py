"""The network's outputs as classes: their names, their probabilities, the most probable ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.session import Session
from cnncli.errors import UsageError

Array = NDArray[Any]


def names_of(session: Session) -> tuple[str, ...] | None:
    """One for each output; None where the outputs are no classes with names."""
    names = session.class_names
    return names if names is not None and session.graph.output.shape == (len(names),) else None


def class_name(session: Session, index: int) -> str:
    """The name of a class, or else its number."""
    names = names_of(session)
    return names[index] if names and index < len(names) else str(index)


def class_index(session: Session, text: str, option: str) -> int:
    """A class from its number or its name. Raises UsageError, with the nearest name."""
    names, (count, *_) = names_of(session), session.graph.output.shape
    if text.isdecimal() and int(text) < count:
        return int(text)
    folded = [name.casefold() for name in names or ()]
    if names and text.casefold() in folded:
        return folded.index(text.casefold())
    near = difflib.get_close_matches(text.casefold(), folded, n=1)
    if names and near:
        hint = f"did you mean {names[folded.index(near[0])]!r}?"
    else:
        hint = f"the network has the classes 0 to {count - 1}" + (f": {', '.join(names)}" if names else "")
    raise UsageError(f"{option} {text}: no such class; {hint}")


def probabilities(session: Session, value: Callable[[str], Array]) -> Array | None:
    """(N, K), one for each class; `value` gives a node's output, (N, *shape). None where the outputs are no classes.

    With cross entropy they sum to 1 (softmax of the logits); with a sigmoid each stands for itself.
    """
    graph, link = session.graph, session.experiment.loss.link
    if len(graph.output.shape) != 1:
        return None
    if link is not None:
        return LINKS[link](value(graph.logits(link)).astype(np.float64))
    return value(graph.output.name) if graph.output.layer.link is not None else None


def softmax(logits: Array) -> Array:
    """(N, K): exp(z) / sum(exp(z)), without overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    return np.asarray((1 + np.tanh(logits / 2)) / 2)


LINKS = {"softmax": softmax, "sigmoid": sigmoid}
