"""How messages show a value, list choices and suggest a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cnncli import wording
from cnncli.wording import printable

# What other libraries and books call our names; `cnncli.wording` finds the ones that merely look alike.
_SYNONYMS = {
    "avgpool": "avg_pool2d",
    "batch": "batch_size",
    "bce": "bce_with_logits",
    "binary_crossentropy": "bce_with_logits",
    "bn": "batch_norm",
    "categorical_crossentropy": "cross_entropy",
    "concatenate": "concat",
    "conv": "conv2d",
    "dense": "linear",
    "fc": "linear",
    "filters": "out_channels",
    "flip": "horizontal_flip",
    "fully_connected": "linear",
    "gaussian_noise": "noise",
    "gap": "global_avg_pool2d",
    "hflip": "horizontal_flip",
    "kernel": "kernel_size",
    "learning_rate": "lr",
    "maxpool": "max_pool2d",
    "mean_squared_error": "mse",
    "mnist": "idx",
    "nll": "cross_entropy",
    "num_epochs": "epochs",
    "pool": "max_pool2d",
    "pool_size": "kernel_size",
    "random_crop": "crop",
    "random_erasing": "cutout",
    "rate": "p",
    "sparse_categorical_crossentropy": "cross_entropy",
    "swish": "silu",
    "translate": "shift",
    "units": "out_features",
    "use_bias": "bias",
    "vflip": "vertical_flip",
    "zoom": "scale",
}

_LONGEST = 60
_MOST_CHOICES = 30


def shown(value: Any) -> str:
    """A value as YAML would write it on one line, cut where it is long."""
    text = _written(value, _LONGEST)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _written(value: Any, room: int) -> str:
    """As `shown`; stops soon after `room` characters."""
    if isinstance(value, dict):
        return "{" + _joined((f"{key}: {_written(item, room)}" for key, item in value.items()), room) + "}"
    if isinstance(value, list | tuple):
        return "[" + _joined((_written(item, room) for item in value), room) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value[: room + 1]) if isinstance(value, str) else f"{value}"


def _joined(parts: Iterable[str], room: int) -> str:
    text = ""
    for part in parts:
        text += (", " if text else "") + part
        if len(text) > room:
            break
    return text


def choices(names: Sequence[str]) -> str:
    """Names as a list for a sentence: `a, b, c`."""
    listed = ", ".join(map(printable, names[:_MOST_CHOICES]))
    return listed if len(names) <= _MOST_CHOICES else f"{listed}, ... ({len(names)} in all)"


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """`; did you mean 'kernel_size'?` for the nearest of the names, or nothing where none is near."""
    name = nearest(word, names)
    return f"; did you mean {shown(name)}?" if name else ""


def nearest(word: str, names: Sequence[str]) -> str | None:
    """The name that a word is most likely to mean; None where none is near."""
    key = word[:_LONGEST].lower().replace("-", "_").replace(" ", "_")
    if _SYNONYMS.get(key) in names:
        return _SYNONYMS[key]
    bare = {name.replace("_", ""): name for name in names}
    near = wording.nearest(key.replace("_", ""), bare)
    return None if near is None else bare[near]


def a(noun: str) -> str:
    """`a layer`, `an optimizer`."""
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
