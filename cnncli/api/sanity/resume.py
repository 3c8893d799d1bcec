"""Does a training that was cut off go on as if nothing had happened?"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab, bits_of
from cnncli.graph import Model
from cnncli.training.checkpoint import load_state
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory

BATCHES, BATCH_SIZE, VALIDATED = 5, 16, 32
CUT = 3
"""The update of the second epoch with which the training is cut off; the state that is left is that of the one before,
so that part of an epoch has been done."""
CHANGES = {
    "epochs": 2,
    "batch_size": BATCH_SIZE,
    "weights": None,
    "early_stopping": None,
    "checkpoint_minutes": 1e-9,  # after every update
}
TIMES = ("seconds", "images_per_second", "data_wait")
"""What no two trainings have in common."""


class _CutError(Exception):
    """What ends the training, as a crash would."""


class _Cutter(Listener):
    """Ends a training in the middle of its second epoch."""

    def started(self, plan: Plan) -> None:
        self.last = plan.updates + min(CUT, plan.updates)

    def step(self, step: Step) -> None:
        if step.step == self.last:
            raise _CutError


def resume(lab: Lab) -> Finding:
    """Two epochs give the same weights and scores as two epochs in the second of which the training was cut off."""
    with tempfile.TemporaryDirectory(prefix="cnncli-sanity-") as folder:
        whole, cut = (RunDirectory.create(name, "", Path(folder, name)) for name in ("whole", "cut"))
        first, second = lab.new_model(), lab.new_model()
        wanted = found = _train(lab, first, whole)
        try:
            _train(lab, second, cut, listener=_Cutter())
        except _CutError:
            second = lab.new_model()  # nothing is left but the files
            found = _train(lab, second, cut, resume=load_state(cut.state, second))
        weights = bits_of(first) == bits_of(second) and whole.last.read_bytes() == cut.last.read_bytes()
        scores = _course(wanted) == _course(found)
    measured = f"{'the same' if weights else 'other'} weights, {'the same' if scores else 'other'} scores"
    fix = "the training has a state that its files do not hold; please report it with the configuration"
    return Finding.of(weights and scores, measured, "the same bits", fix)


def _train(lab: Lab, model: Model, run: RunDirectory, **options: Any) -> TrainResult:
    train = lab.train.take(np.arange(min(BATCHES * BATCH_SIZE, len(lab.train))))
    val = lab.val.take(np.arange(min(VALIDATED, len(lab.val))))
    return lab.fit(model, lab.dataset(train, val), CHANGES, schedule=lab.experiment.schedule, run=run, **options)


def _course(result: TrainResult) -> str:
    """Every score on the way, to the last bit; as text, in which NaN is itself."""
    records = [record.to_json() for record in result.history]
    return json.dumps([{key: value for key, value in record.items() if key not in TIMES} for record in records])


CHECK = Check("exact resume", resume)
