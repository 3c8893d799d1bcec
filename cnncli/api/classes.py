"""The network's outputs as classes: their names and their probabilities."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.session import Session
from cnncli.errors import UsageError
from cnncli.wording import did_you_mean

Array = NDArray[Any]


def is_binary(session: Session) -> bool:
    """Whether the only output is the probability of the second of two classes."""
    output, names = session.graph.output, session.class_names
    single = output.shape == (1,) and "sigmoid" in (session.experiment.loss.link, output.layer.link)
    return single and (names is None or len(names) == 2)


def class_count(session: Session) -> int:
    """How many classes there are, if the outputs are classes."""
    return 2 if is_binary(session) else session.graph.output.shape[0]


def names_of(session: Session) -> tuple[str, ...] | None:
    """One for each class; None where the outputs are no classes with names."""
    names = session.class_names
    known = names is not None and len(session.graph.output.shape) == 1 and len(names) == class_count(session)
    return names if known else None


def class_name(session: Session, index: int) -> str:
    """The name of a class, or else its number."""
    names = names_of(session)
    return names[index] if names and index < len(names) else str(index)


def class_words(session: Session, index: int) -> str:
    """The name of a class, with its number where the name is another: "7 (number 3)"."""
    name = class_name(session, index)
    return f"{name} (number {index})" if name.isdecimal() and name != str(index) else name


def has_classes(session: Session) -> bool:
    """Whether the outputs of a network that ends in a vector stand for classes; in regression they are mere numbers."""
    links = session.experiment.loss.link, session.graph.output.layer.link
    return names_of(session) is not None or any(link is not None for link in links)


def class_index(session: Session, text: str, option: str) -> int:
    """A class from its name or its number; a name that is a number goes first. Raises UsageError."""
    names, count = names_of(session) or (), class_count(session)
    if text in names:
        return names.index(text)
    if (index := index_below(text, count)) is not None:
        return index
    folded = [name.casefold() for name in names]
    if text.casefold() in folded:
        return folded.index(text.casefold())
    every = f"; the network has the classes 0 to {count - 1}" + (f": {', '.join(names)}" if names else "")
    hint = "" if re.fullmatch(r"[+-]?\d+", text) else did_you_mean(text, names)  # a number is not meant as another
    raise UsageError(f"{option} {text}: no such class{hint or every}")


def class_indices(session: Session, text: str, option: str) -> list[int]:
    """Of one class, or of several as "0,2". Raises UsageError."""
    whole = text in (names_of(session) or ())  # a name may have a comma
    return [class_index(session, part.strip(), option) for part in ([text] if whole else text.split(","))]


def index_below(text: str, size: int) -> int | None:
    """The number 0 to size - 1 that a text is; None where it is none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) and int(text) < size else None


def probabilities(session: Session, value: Callable[[str], Array]) -> Array | None:
    """(N, K), one for each class; `value` gives a node's output, (N, *shape). None where the outputs are no classes.

    With cross entropy they sum to 1 (softmax of the logits), and so do those of two classes with one output; else,
    with a sigmoid, each stands for itself.
    """
    graph, link = session.graph, session.experiment.loss.link
    if len(graph.output.shape) != 1 or (link is None and graph.output.layer.link is None):
        return None
    shares = value(graph.output.name) if link is None else LINKS[link](value(graph.logits(link)).astype(np.float64))
    return np.hstack([1 - shares, shares]) if is_binary(session) else shares


def softmax(logits: Array) -> Array:
    """(N, K): exp(z) / sum(exp(z)), without overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    return np.asarray((1 + np.tanh(logits / 2)) / 2)


LINKS = {"softmax": softmax, "sigmoid": sigmoid}
