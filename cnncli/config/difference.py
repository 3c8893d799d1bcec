"""Where two configurations differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnncli.config.experiment import Experiment

ABSENT = "-"


@dataclass(frozen=True)
class Difference:
    """One key, dotted as for --set, and its value in one configuration and in the other, `-` where it has none."""

    key: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.key}: {self.ours} and {self.theirs}"


def differences(ours: Experiment, theirs: Experiment) -> list[Difference]:
    """All of them, in the order of our configuration and then of theirs."""
    mine, other = (dict(_flat((), experiment.resolved())) for experiment in (ours, theirs))
    return [
        Difference(key, mine.get(key, ABSENT), other.get(key, ABSENT))
        for key in dict.fromkeys([*mine, *other])
        if mine.get(key, ABSENT) != other.get(key, ABSENT)
    ]


def _flat(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, str]]:
    """Layers by their names, other lists as they are."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat((*path, key), item)
    elif path == ("model", "layers"):
        for layer in value:
            yield from _flat((*path, layer["name"]), {key: item for key, item in layer.items() if key != "name"})
    else:
        yield ".".join(path), str(value)
