"""Does a training that was cut off go on as if nothing had happened?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab, some
from cnncli.graph import Model
from cnncli.training.checkpoint import load_state
from cnncli.training.progress import Listener, Step
from cnncli.training.run_directory import RunDirectory

BATCHES, BATCH_SIZE, VALIDATED = 5, 16, 32
CHANGES = {"epochs": 2, "batch_size": BATCH_SIZE, "weights": None, "early_stopping": None}


class _CutError(Exception):
    """What ends the training, as a crash would."""


class _Cutter(Listener):
    """Ends a training in the middle of its second epoch."""

    def step(self, step: Step) -> None:
        if step.epoch == 2:
            raise _CutError


def resume(lab: Lab) -> Finding:
    """Two epochs give the same weights as two epochs of which the second was cut off and made again."""
    with tempfile.TemporaryDirectory(prefix="cnncli-sanity-") as folder:
        whole, cut = (RunDirectory.create(name, "", Path(folder, name)) for name in ("whole", "cut"))
        first, second = lab.new_model(), lab.new_model()
        _train(lab, first, whole)
        try:
            _train(lab, second, cut, listener=_Cutter())
        except _CutError:
            second = lab.new_model()  # nothing is left but the files
            _train(lab, second, cut, resume=load_state(cut.state, second))
        good = whole.last.read_bytes() == cut.last.read_bytes() and _bits(first) == _bits(second)
    fix = "the training has a state that its files do not hold; please report it with the configuration"
    return Finding.of(good, f"{'the same' if good else 'other'} weights", "the same bits", fix)


def _train(lab: Lab, model: Model, run: RunDirectory, **options: Any) -> None:
    train = some(lab.train, np.arange(min(BATCHES * BATCH_SIZE, len(lab.train))))
    val = some(lab.val, np.arange(min(VALIDATED, len(lab.val))))
    lab.fit(model, lab.dataset(train, val), CHANGES, schedule=lab.experiment.schedule, run=run, **options)


def _bits(model: Model) -> bytes:
    return b"".join(array.tobytes() for array in model.state_dict().values())


CHECK = Check("exact resume", resume)
