"""The files of a training, written so that whatever ends it, it can go on from them.

First the logs, then the state, in one file and at one stroke, then what follows from the state. A training that goes on
takes out of the logs what is later than the state, and makes again what follows from it: so the files are of one
moment, whenever the training was stopped.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset
from cnncli.errors import CheckpointError, OutputError
from cnncli.files import write_atomic
from cnncli.graph import Model
from cnncli.training.checkpoint import TrainingState, read_details, read_weights, save_state, save_weights
from cnncli.training.health import Health
from cnncli.training.history import Best, Record, rows_of
from cnncli.training.progress import Step
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.tables import Cell

Array = NDArray[Any]


LOOKED_AT = 16
"""Samples of a split, evenly spread over it."""


LOOKED_AT = 16
"""Samples of a split, evenly spread over it."""


def fingerprint(dataset: Dataset) -> dict[str, list[int]]:
    """Of each split how many samples it has, and checksums of their targets in order, and of some of the samples as
    they are stored: tells other data apart, though not by each changed pixel."""
    found = {}
    for name, split in dataset.splits.items():
        some = split.raw(np.arange(LOOKED_AT) * len(split) // LOOKED_AT)
        found[name] = [len(split), _checksum(split.targets), _checksum(some)]
    return found


def _checksum(array: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)


class Keeper:
    """Keeps what there is to keep of a training: in memory the best weights, and in the run directory, where there is
    one, everything."""

    def __init__(self, run: RunDirectory | None, model: Model, minutes: float) -> None:
        self.run = run
        self.model = model
        self.minutes = minutes
        self.best_weights: dict[str, Array] = {}
        self.lines: list[dict[str, int | float]] = []  # for steps.jsonl, not yet written
        self.health: list[Mapping[str, Cell]] = []
        self.saved = monotonic()

    def go_on_from(self, state: TrainingState, best: Best | None) -> None:
        """Brings the files back to the moment of the state, whose weights, those to keep, are in the model.

        Raises CheckpointError if the best weights are lost.
        """
        run = self.run
        if run is None:
            return
        if best is not None and self._best_step() == best.step:
            self.best_weights = read_weights(run.best, self.model)
        elif best is not None and best.step == state.step:
            self.keep_best(best)
        elif best is not None:
            raise CheckpointError(
                f"{run.best}: is missing or not that of epoch {best.epoch}, step {best.step}, which was the best;"
                " restore it, or train again"
            )
        else:
            run.best.unlink(missing_ok=True)  # of a training that was judged otherwise
        self.health = run.rewind(state.step)  # only now, for what fails should change nothing

    def _best_step(self) -> int | None:
        """After how many updates the network had the weights of the file; None if there is none that can be read."""
        with suppress(CheckpointError):
            if self.run is not None:
                return read_details(self.run.best).get("step")
        return None

    def note(self, step: Step) -> None:
        """An update has been made."""
        if self.run is not None:
            line = {"epoch": step.epoch, "step": step.step, "loss": step.loss, "lr": step.lr}
            self.lines.append({**line, "gradient_norm": step.gradient_norm, "seconds": round(step.seconds, 6)})

    def add_health(self, health: Sequence[Health], record: Record) -> None:
        """The end of an epoch has been looked at."""
        self.health += (found.row(record.epoch, record.step) for found in health)

    def keep_best(self, best: Best) -> None:
        """The model's weights are the best so far."""
        self.best_weights = {key: array.copy() for key, array in self.model.state_dict().items()}
        if self.run is not None:
            save_weights(self.run.best, self.model, {"epoch": best.epoch, "step": best.step, "monitor": best.monitor})

    def restore_best(self) -> None:
        """The model gets the best weights; without any it keeps its own."""
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)

    def is_due(self) -> bool:
        """Whether the last time that everything was saved is long ago."""
        return self.run is not None and monotonic() - self.saved > 60 * self.minutes

    def write_logs(self) -> None:
        """What has been noted, to its files. Raises OutputError."""
        if self.run is None:
            return
        if self.lines:
            self.run.append_steps(self.lines)
            self.lines.clear()
        if self.health:
            self.run.write_health(self.health)

    def write_logs_if_possible(self) -> None:
        """The same, for who has something worse to tell than that it is not."""
        with suppress(OutputError):
            self.write_logs()

    def save(self, state: TrainingState) -> None:
        """Everything as it is now, into the run directory. Raises OutputError."""
        if self.run is None:
            return
        self.write_logs()
        save_state(self.run.state, state, self.model)
        self.run.establish()
        if state.history:
            self.run.write_metrics(rows_of(state.history))
        self.saved = monotonic()

    def save_last(self, epoch: int, step: int) -> None:
        """The model's weights are those of this moment."""
        if self.run is not None:
            save_weights(self.run.last, self.model, {"epoch": epoch, "step": step})

    def finish(self, result: TrainResult) -> None:
        """What it came to."""
        if self.run is not None:
            came_to = {key: value for key, value in asdict(result).items() if key != "history"}  # that is metrics.csv
            write_atomic(self.run.result, json.dumps(came_to, default=str) + "\n")
