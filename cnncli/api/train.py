"""Training."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypedDict, Unpack

from cnncli.api.given import Config
from cnncli.api.session import Dtype, Session, load
from cnncli.config.difference import differences
from cnncli.errors import CheckpointError, UsageError
from cnncli.training import loop
from cnncli.training.checkpoint import TrainingState, adopt_weights, load_state, state_precision
from cnncli.training.keeping import fingerprint
from cnncli.training.progress import Listener, Listeners
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.settings import TrainSettings
from cnncli.training.tensorboard import TensorBoard, require_library

ORDER = ("data.augment", "data.sampling", "train.batch_size")
"""What the batches of an epoch are like: with a change here an unfinished one begins anew."""
JUDGING = ("data.", "seed", "loss", "train.metrics", "train.monitor", "train.class_weight")
"""What is measured, and on which samples: with a change here that is no augmentation or sampling, an unfinished epoch
begins anew, and what was measured before is no longer compared with."""


class TrainOptions(TypedDict, total=False):
    """How a training begins, and where it is kept."""

    resume: str | PathLike[str] | None
    out: str | PathLike[str] | None
    seed: int | None
    checkpoint: str | PathLike[str] | None
    set: Sequence[str]
    workers: int | None
    dtype: Dtype | None


def train(
    config: Config | None = None, *, listener: Listener | None = None, **options: Unpack[TrainOptions]
) -> TrainResult:
    """Trains the network and leaves a run directory: `out`, or `runs/<name>-<time>`.

    `seed` stands for `set=["seed=..."]`; `checkpoint` gives the weights to start from; `dtype` is float32 by default.

    `resume` is a run directory: its training goes on as if it had never stopped, in the same directory. With `set`,
    `seed` or `out` a new run goes on from there instead, with the changes; the old one stays as it is.

    Raises ConfigError, DataError, CheckpointError, UsageError if `out` is in use, or another process trains there,
    DivergedError, OutputError. After Ctrl-C everything is saved, and the result says so.
    """
    return prepare(config, **options).train(listener)


@dataclass(frozen=True)
class Prepared:
    """A training about to begin, or to go on: everything has been checked, and nothing has been written."""

    session: Session
    origin: RunDirectory | None  # where the state is from
    state: TrainingState | None
    out: Path | None
    forks: bool
    notes: tuple[str, ...]

    def train(self, listener: Listener | None) -> TrainResult:
        """Does it."""
        if self.origin is not None and not self.forks:
            with self.origin.locked():
                self.origin.claim()
                # Again, for another process may have gone on meanwhile.
                state = load_state(self.origin.state, self.session.model)
                return self._fit(self.origin, state, listener)
        run = self._new_directory()
        with run.locked():
            run.claim()
            if self.origin is not None:
                run.copy_logs(self.origin)
            return self._fit(run, self.state, listener)

    def _new_directory(self) -> RunDirectory:
        experiment, dataset = self.session.experiment, self.session.dataset
        assert experiment.data is not None  # there is a data set
        resolved = replace(experiment, data=experiment.data.resolved(dataset))
        return RunDirectory.create(experiment.name, resolved.to_yaml(), self.out)

    def _fit(self, run: RunDirectory, state: TrainingState | None, listener: Listener | None) -> TrainResult:
        session = self.session
        experiment = session.experiment
        with _events(experiment.train, run) as events:
            return loop.fit(
                session.model,
                session.dataset,
                experiment.loss,
                experiment.optimizer,
                experiment.train,
                schedule=experiment.schedule,
                seed=experiment.seed,
                workers=session.workers,
                run=run,
                resume=state,
                listener=Listeners(events, listener or Listener()),
                notes=self.notes,
            )


def _events(settings: TrainSettings, run: RunDirectory) -> AbstractContextManager[Listener]:
    """Who writes TensorBoard's files, if there is to be anybody."""
    return TensorBoard(run.path / "tensorboard") if settings.tensorboard else nullcontext(Listener())


def prepare(
    config: Config | None = None,
    *,
    resume: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    seed: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    set: Sequence[str] = (),
    workers: int | None = None,
    dtype: Dtype | None = None,
) -> Prepared:
    """What `train` does before it writes anything; it takes the same arguments and raises the same errors."""
    changes = [*set, *([] if seed is None else [f"seed={seed}"])]
    target = None if out is None else Path(out)
    if resume is None:
        if config is None:
            raise UsageError("which network? give --config FILE ('cnncli init' has examples), or --resume RUN")
        prepared = _fresh(config, checkpoint, changes, workers, dtype or "float32", target)
    else:
        if checkpoint is not None:
            raise UsageError("--resume brings its own weights; leave --checkpoint out, or start with train.weights")
        prepared = _resumed(RunDirectory.open(Path(resume)), config, changes, workers, dtype, target)
    session = prepared.session
    experiment = session.experiment
    if experiment.train.tensorboard:
        require_library()
    loop.check(
        session.model, session.dataset, experiment.loss, experiment.optimizer, experiment.train, seed=experiment.seed
    )
    return prepared


def _fresh(
    config: Config,
    checkpoint: str | PathLike[str] | None,
    changes: Sequence[str],
    workers: int | None,
    dtype: Dtype,
    out: Path | None,
) -> Prepared:
    session = load(config, checkpoint=checkpoint, set=changes, workers=workers, dtype=dtype)
    session.dataset  # noqa: B018 - opened before weights are read: what is commonly wrong comes first
    weights = session.experiment.train.weights
    if weights is not None and checkpoint is not None:
        raise UsageError("there are two files of weights to start from, --checkpoint and train.weights; choose one")
    notes = () if weights is None else _adopt(weights, session)
    return Prepared(session, None, None, out, forks=False, notes=notes)


def _adopt(weights: Path, session: Session) -> tuple[str, ...]:
    adopted = adopt_weights(weights, session.model)
    total = len(session.model.state_dict())
    note = f"starting from {weights}: {len(adopted.taken)} of {total} tensors"
    return (note, *(f"  {why}" for why in adopted.left))


def _resumed(
    origin: RunDirectory,
    config: Config | None,
    changes: Sequence[str],
    workers: int | None,
    dtype: Dtype | None,
    out: Path | None,
) -> Prepared:
    kept = load(origin.config, workers=workers)
    if config is not None:
        _require_same(origin, load(config), kept)
    forks = bool(changes) or out is not None
    if forks and origin.is_locked():
        raise UsageError(f"{origin.path} is being trained; wait for it, and go on from there then")
    precision = state_precision(origin.existing(origin.state))
    if dtype not in (None, precision):
        raise UsageError(f"{origin.path} was trained in {precision}; a training goes on in the precision it has")
    session = load(origin.config, set=changes, workers=workers, dtype=precision)
    state = load_state(origin.state, session.model)
    now = fingerprint(session.dataset)
    if state.data != now and not forks:
        raise CheckpointError(
            f"{origin.path}: the data are not those that it was trained on: {_changed(state.data, now)};"
            " restore them, or go on regardless in a new run with --out DIR"
        )
    changed = [difference.key for difference in differences(kept.experiment, session.experiment)]
    if "train.weights" in changed:
        raise UsageError("--resume brings its own weights; leave train.weights out, or start a new training with it")
    judged_anew = any(key.startswith(JUDGING) and not key.startswith(ORDER) for key in changed)
    if judged_anew:
        state = replace(state, history=())
    if state.batches and (judged_anew or any(key.startswith(ORDER) for key in changed)):
        state = replace(state, batches=0, totals={"samples": 0, "loss": 0.0, "sums": {}})
    epochs = session.experiment.train.epochs
    if forks and state.epochs >= epochs:
        raise UsageError(
            f"{origin.path}: nothing is left to train: {state.epochs} of {epochs} epochs are done; add"
            f" --set train.epochs={state.epochs + kept.experiment.train.epochs}"
        )
    return Prepared(session, origin, state, out, forks, (_where(origin, state, session),))


def _require_same(origin: RunDirectory, given: Session, kept: Session) -> None:
    """The configuration that was given beside --resume is that of the run."""
    data = given.experiment.data
    resolved = given.experiment if data is None else replace(given.experiment, data=data.resolved(given.dataset))
    found = [each for each in differences(kept.experiment, resolved) if each.key != "name"]
    if found:
        listed = "\n  ".join(f"{each.key}: {each.ours} in the run, {each.theirs} now" for each in found)
        raise UsageError(
            f"--resume {origin.path}: its configuration is another one; leave --config out to go on as it was, or give"
            f" the changes with --set, which begins a new run from there:\n  {listed}"
        )


def _changed(before: dict[str, list[int]], now: dict[str, list[int]]) -> str:
    name = next(name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name))
    then, there_are = (found.get(name, [0])[0] for found in (before, now))
    if then != there_are:
        return f"the {name} split had {then:,} samples, and has {there_are:,} now"
    what = "targets" if before[name][1] != now[name][1] else "samples"
    return f"the {what} of the {name} split are others"


def _where(origin: RunDirectory, state: TrainingState, session: Session) -> str:
    epochs = session.experiment.train.epochs
    if state.epochs >= epochs:
        return (
            f"{origin.path} is finished: {state.epochs} of {epochs} epochs; to train longer:"
            f" --resume {origin.path} --set train.epochs={2 * epochs}"
        )
    batches = f" and {state.batches} batches" if state.batches else ""
    return f"going on from {origin.path}, after {state.epochs} of {epochs} epochs{batches}"
