"""What every command works on: a network with its weights, and the data it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Literal, TypedDict, cast

from cnncli import config as configuration
from cnncli.api.given import Config, locate
from cnncli.config import Experiment
from cnncli.data.dataset import Dataset
from cnncli.engine import Executor
from cnncli.errors import DataError, UsageError
from cnncli.graph import Graph, Model
from cnncli.inspection.options import at_least
from cnncli.layers.parameters import Parametric, is_drawn
from cnncli.training.checkpoint import load_weights
from cnncli.training.run_directory import RunDirectory

Dtype = Literal["float32", "float64"]


class SessionOptions(TypedDict, total=False):
    """The options of `load`, which every command takes too."""

    config: Config | None
    run: str | PathLike[str] | None
    checkpoint: str | PathLike[str] | None
    set: Sequence[str]
    workers: int | None
    dtype: Dtype


@dataclass(frozen=True, eq=False)
class Session:
    """A network with its weights. `weights` is the file they are from, None if they are freshly initialised."""

    experiment: Experiment
    model: Model
    weights: Path | None
    workers: int | None

    @property
    def graph(self) -> Graph:
        """Without the numbers."""
        return self.model.graph

    @cached_property
    def dataset(self) -> Dataset:
        """The configured data, opened at the first use. Raises UsageError if there is none configured."""
        if self.experiment.data is None:
            raise UsageError("this needs data, and the configuration has none; add data: {source: ...}")
        return self.experiment.data.open(self.graph.input_shape, seed=self.experiment.seed)

    @cached_property
    def class_names(self) -> tuple[str, ...] | None:
        """Those of the data; None without data, where it is not there, and where its classes have only numbers."""
        data = self.experiment.data
        if data is None:
            return None
        try:
            return data.class_names()
        except DataError:
            return None

    @property
    def is_random(self) -> bool:
        """Whether there are parameters that were drawn: neither from a file, nor written as numbers or a constant."""
        return self.weights is None and any(
            is_drawn(cast(Parametric, node.layer), key)
            for node in self.graph.nodes
            for key in self.model.parameters.get(node.name, ())
        )

    def executor(self) -> Executor:
        """To be used as a context manager."""
        return Executor(self.model, workers=self.workers, seed=self.experiment.seed)


Network = Session | Config
"""What a command works on: a session, or a configuration to make one from."""


def load(
    config: Config | None = None,
    *,
    run: str | PathLike[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    set: Sequence[str] = (),
    workers: int | None = None,
    dtype: Dtype = "float32",
) -> Session:
    """A configuration, or a run directory with its configuration and best weights; `checkpoint` gives other weights.

    `set` are changes to the configuration, as `train.epochs=3`; `workers` is the number of processes, by default one
    a core. Raises UsageError, ConfigError or CheckpointError.
    """
    at_least("--workers", workers)
    experiment = configuration.load(locate(config, run), set)
    model = Model.create(experiment.graph, experiment.seed, dtype)
    weights = _weights(run, checkpoint)
    if weights is not None:
        load_weights(weights, model)
    return Session(experiment, model, weights, workers)


def resolve(network: Network | None, options: SessionOptions) -> Session:
    """The session that a command was given, or a new one from the configuration and the options."""
    if isinstance(network, Session):
        if options:
            raise UsageError(f"give either a session or {', '.join(options)}, not both")
        return network
    if network is None:
        return load(**options)
    merged: SessionOptions = {**options, "config": network}
    return load(**merged)


def _weights(run: str | PathLike[str] | None, checkpoint: str | PathLike[str] | None) -> Path | None:
    if checkpoint is not None:
        return Path(checkpoint)
    if run is None:
        return None
    directory = RunDirectory.open(Path(run))
    return directory.existing(directory.best)
