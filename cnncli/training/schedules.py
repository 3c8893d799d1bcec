"""How the learning rate changes while a network learns, with PyTorch's formulas, names and defaults.

The formulas are those of the pages of `torch.optim.lr_scheduler`, as factors of the optimizer's `lr`; t counts the
updates before this one, T all of the training, and `epoch` those that have ended.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


@dataclass(frozen=True)
class Horizon:
    """How long a training is, in updates of the parameters."""

    steps: int  # altogether
    steps_per_epoch: int


class Schedule(BaseModel):
    """One kind of schedule; its fields are its options in YAML. It stores nothing: a rate follows from the step."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    type: ClassVar[str]
    """The name in YAML."""

    def multiplier(self, step: int, horizon: Horizon, judged: Sequence[float] = ()) -> float:
        """What the optimizer's learning rate is multiplied by in the update after `step` others.

        `judged` holds the monitored number of every validation so far, turned so that lower is better.
        """
        raise NotImplementedError


Gamma = Annotated[float, Field(gt=0, le=1)]
_GAMMA = "what the rate is multiplied by each time"


class _WarmedUp(Schedule):
    """A schedule that may begin with a warm-up: LinearLR, from update to update.

    warm-up(t) = warmup_factor + (1 - warmup_factor) * t / W for t < W, the updates in `warmup`, and 1 from then on.
    The factor is this times that of the schedule itself (ChainedScheduler), so milestones are those of the training.
    """

    unit: Literal["epochs", "steps"] = Field("epochs", description="what time is counted in: epochs, or updates")
    warmup: float = Field(0.0, ge=0, description="time in which the rate rises to the optimizer's")
    warmup_factor: float = Field(0.01, ge=0, le=1, description="share of the rate with which the warm-up begins")

    def multiplier(self, step: int, horizon: Horizon, judged: Sequence[float] = ()) -> float:
        return self._rise(step, horizon) * self._after(step, horizon, judged)

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        """The factor without the warm-up."""
        raise NotImplementedError

    def _rise(self, step: int, horizon: Horizon) -> float:
        updates = self._warmup_steps(horizon)
        return 1.0 if step >= updates else self.warmup_factor + (1 - self.warmup_factor) * step / updates

    def _warmup_steps(self, horizon: Horizon) -> int:
        return round(self.warmup * (horizon.steps_per_epoch if self.unit == "epochs" else 1))

    def _time(self, step: int, horizon: Horizon) -> int:
        """In whole units: the rate changes at the beginning of an epoch."""
        return step // horizon.steps_per_epoch if self.unit == "epochs" else step


class Constant(_WarmedUp):
    """The optimizer's learning rate throughout, but for a warm-up."""

    type: ClassVar[str] = "constant"

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        return 1.0


class Step(_WarmedUp):
    """Lower every so often (StepLR): gamma ^ floor(epoch / step_size)."""

    type: ClassVar[str] = "step"

    step_size: int = Field(ge=1, description="time from one change to the next")
    gamma: Gamma = Field(0.1, description=_GAMMA)

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        return self.gamma ** (self._time(step, horizon) // self.step_size)


class MultiStep(_WarmedUp):
    """Lower at given times (MultiStepLR): gamma ^ (milestones that have been reached)."""

    type: ClassVar[str] = "multistep"

    milestones: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, description="times of the changes")
    gamma: Gamma = Field(0.1, description=_GAMMA)

    @field_validator("milestones")
    @classmethod
    def _ascend(cls, milestones: tuple[int, ...]) -> tuple[int, ...]:
        for place, (before, after) in enumerate(pairwise(milestones), start=1):
            if after <= before:
                raise ValueError(f"at [{place}]: expected ascending numbers, but {after} comes after {before}")
        return milestones

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        return self.gamma ** bisect_right(self.milestones, self._time(step, horizon))


class Exponential(_WarmedUp):
    """Lower by the same factor from each epoch to the next (ExponentialLR): gamma ^ epoch."""

    type: ClassVar[str] = "exponential"

    gamma: Gamma = Field(description=_GAMMA)

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        return self.gamma ** self._time(step, horizon)


class Cosine(_WarmedUp):
    """Down half a cosine over all of the training, from update to update (CosineAnnealingLR without restarts).

        end_factor + (1 - end_factor) * (1 + cos(pi * t / T)) / 2

    The warm-up comes before it: then t and T count from its end (SequentialLR). Loshchilov and Hutter, SGDR:
    Stochastic Gradient Descent with Warm Restarts (2017), equation 5; `end_factor` is eta_min as a share of the rate.
    """

    type: ClassVar[str] = "cosine"

    end_factor: float = Field(0.0, ge=0, le=1, description="share of the rate that is left at the end")

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        begin = self._warmup_steps(horizon)
        if step < begin:
            return 1.0
        return _half_cosine(1.0, self.end_factor, (step - begin) / (horizon.steps - begin))


class OneCycle(Schedule):
    """Up to the optimizer's rate and far down again, from update to update (OneCycleLR, whose max_lr is `lr`).

    From 1 / div_factor up to 1 at update pct_start * T - 1, then down to 1 / (div_factor * final_div_factor) at the
    last one, T - 1. Momentum stays as it is (cycle_momentum=False). Smith and Topin, Super-Convergence: Very Fast
    Training of Neural Networks Using Large Learning Rates (2018).
    """

    type: ClassVar[str] = "one_cycle"

    pct_start: float = Field(0.3, ge=0, le=1, description="share of the training in which the rate rises")
    div_factor: float = Field(25.0, ge=1, description="it begins with the rate divided by this")
    final_div_factor: float = Field(1e4, ge=1, description="and ends with that divided by this")
    anneal_strategy: Literal["cos", "linear"] = Field("cos", description="form of both slopes")

    def multiplier(self, step: int, horizon: Horizon, judged: Sequence[float] = ()) -> float:
        slope = _half_cosine if self.anneal_strategy == "cos" else _line
        first, peak = 1 / self.div_factor, self.pct_start * horizon.steps - 1
        if step < peak:
            return slope(first, 1.0, step / peak)
        if step == peak:  # which may be the first update, or the last
            return 1.0
        return slope(1.0, first / self.final_div_factor, (step - peak) / (horizon.steps - 1 - peak))


class Plateau(_WarmedUp):
    """Lower when validations no longer get better (ReduceLROnPlateau).

    A validation is better where it falls below the best one so far by more than `threshold`: a share of that one's
    magnitude (rel), or so much (abs). After more than `patience` others in a row the rate is lowered; for `cooldown`
    validations from then on none counts against it.
    """

    type: ClassVar[str] = "plateau"

    factor: Gamma = Field(0.1, description=_GAMMA)
    patience: int = Field(10, ge=0, description="validations without improvement that are borne")
    threshold: float = Field(1e-4, ge=0, description="what counts as an improvement: more than this")
    threshold_mode: Literal["rel", "abs"] = Field("rel", description="a share of the best number, or a difference")
    cooldown: int = Field(0, ge=0, description="validations after a change that are not counted")
    min_factor: float = Field(0.0, ge=0, le=1, description="share of the rate below which it does not fall")

    def _after(self, step: int, horizon: Horizon, judged: Sequence[float]) -> float:
        share, best, bad, cooling = 1.0, math.inf, 0, 0
        for value in judged:
            if self._is_better(value, best):
                best, bad = value, 0
            else:
                bad += 1
            if cooling:
                cooling, bad = cooling - 1, 0
            if bad > self.patience:
                share, cooling, bad = max(share * self.factor, self.min_factor), self.cooldown, 0
        return share

    def _is_better(self, value: float, best: float) -> bool:
        if best == math.inf:  # of which no share can be taken
            return value < best
        return value < best - self.threshold * (abs(best) if self.threshold_mode == "rel" else 1)


def _half_cosine(start: float, end: float, share: float) -> float:
    """From start (share 0) to end (share 1), level at both."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


SCHEDULES: dict[str, type[Schedule]] = {
    kind.type: kind for kind in (Constant, Step, MultiStep, Exponential, Cosine, OneCycle, Plateau)
}
"""Every schedule by its name in YAML."""
