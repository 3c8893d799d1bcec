"""A validated configuration, and how it is written out with everything resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cnncli.config.dump import to_text
from cnncli.data.source import Source
from cnncli.graph import Graph
from cnncli.losses import Loss
from cnncli.training.optimizers import Optimizer
from cnncli.training.schedules import Schedule
from cnncli.training.settings import TrainSettings


@dataclass(frozen=True)
class Experiment:
    """Everything that a configuration says. Paths in `data` are absolute; every node of `graph` has its name."""

    name: str
    seed: int
    data: Source | None
    graph: Graph
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    train: TrainSettings

    def to_yaml(self) -> str:
        """Everything resolved: all names, inputs and defaults. Loading it gives an equal Experiment."""
        return to_text(self.resolved())

    def resolved(self) -> dict[str, Any]:
        """What `to_yaml` writes, as plain values."""
        document: dict[str, Any] = {"name": self.name, "seed": self.seed}
        if self.data is not None:
            document["data"] = {"source": self.data.type, **_options(self.data)}
        layers = [
            {"type": node.layer.type, "name": node.name, "inputs": list(node.inputs), **_options(node.layer)}
            for node in self.graph.nodes
        ]
        document["model"] = {"input": list(self.graph.input_shape), "layers": layers}
        if self.data is not None or self.loss.link != "softmax" or self.graph.output.shape[0] > 1:
            document["loss"] = {"type": self.loss.type, **_options(self.loss)}  # else one that nobody asked for
        document["optimizer"] = {"type": self.optimizer.type, **_options(self.optimizer)}
        document["schedule"] = {"type": self.schedule.type, **_options(self.schedule)}
        document["train"] = _options(self.train)
        return document


def _options(model: BaseModel) -> dict[str, Any]:
    """The options as YAML has them, without those that are None by default and are None."""
    silent = {field.alias or key for key, field in type(model).model_fields.items() if field.get_default() is None}
    options = {field.alias or key: getattr(model, key) for key, field in type(model).model_fields.items()}
    return {key: _written(value) for key, value in options.items() if value is not None or key not in silent}


def _written(value: Any) -> Any:
    """A value as YAML has it; `{type: zeros}` is the bare word, all the way down."""
    if isinstance(value, BaseModel):
        return _written(_options(value))
    if isinstance(value, dict):
        return value["type"] if list(value) == ["type"] else {key: _written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written(item) for item in value]
    return str(value) if isinstance(value, Path) else value
