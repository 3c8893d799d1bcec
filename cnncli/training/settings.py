"""The `train` section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from cnncli.data.batches import batch_count
from cnncli.data.dataset import SPLITS
from cnncli.training.schedules import Horizon
from cnncli.wording import printable

Watched = Literal["activations", "filters", "gradients"]

_SAMPLE = re.compile(rf"({'|'.join(SPLITS)}):[0-9]{{1,18}}")


class WatchSettings(BaseModel):
    """What is kept, while the network learns, for `cnncli visualize evolution`: of a few inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: tuple[str, ...] = Field(
        (), description="samples of the data, as [test:0, test:3]; by default the first that is not trained on"
    )
    every: int | None = Field(None, ge=1, description="steps from one frame to the next; by default for 60 frames")
    layers: tuple[str, ...] = Field((), description="their names; by default all that compute something")
    channels: int = Field(16, ge=1, description="of each layer, at most, the first ones; of filters their inputs too")
    what: tuple[Watched, ...] = Field(
        ("activations", "filters", "gradients"),
        description="what is kept of a layer; the gradients are those of the loss by the activations",
    )

    @field_validator("inputs")
    @classmethod
    def _are_samples(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        for place, name in enumerate(inputs):
            if not _SAMPLE.fullmatch(name):
                raise ValueError(f"at [{place}]: expected a sample of the data, as test:3, got {printable(name)}")
        return inputs


class Rhythm(BaseModel):
    """How often: so many steps, or so many epochs, from one time to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int | None = Field(None, ge=1, description="updates from one time to the next")
    epochs: int | None = Field(None, ge=1, description="or whole epochs")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("expected either steps or epochs, as in {steps: 500}")
        return self


class EarlyStopping(BaseModel):
    """When there is nothing more to hope for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patience: int = Field(5, ge=1, description="validations without improvement after which training ends")
    min_delta: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="what counts as an improvement: more than this"
    )


class TrainSettings(BaseModel):
    """How long to train, on how many samples at a time, and what is done besides the optimizer's steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(5, ge=1, description="passes over the training split")
    batch_size: int = Field(64, ge=1, description="samples in one batch")
    accumulate: int = Field(1, ge=1, description="batches whose gradients are averaged for one step of the optimizer")
    clip_norm: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="largest norm of the whole gradient, which is scaled down to it"
    )
    clip_value: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="largest magnitude of each number of the gradient"
    )
    ema: float | None = Field(
        None, ge=0, lt=1, description="decay of a moving average of the weights, which is validated and kept, as 0.999"
    )
    class_weight: Literal["balanced"] | tuple[Annotated[FiniteFloat, Field(ge=0)], ...] | None = Field(
        None, description="what a sample's loss is multiplied by: a number for each class, or balanced"
    )
    validate_every: Rhythm = Field(
        Rhythm(epochs=1), description="{steps: 500} or {epochs: 2}: how often the val split is measured"
    )
    metrics: tuple[str, ...] = Field((), description="measured besides those of the task, as [top5, f1]")
    monitor: str | None = Field(
        None, description="loss or a metric, by which the best weights are chosen; by default accuracy, or else loss"
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="end when the monitored number no longer improves, `{}` for the defaults"
    )
    freeze: tuple[str, ...] = Field((), description="layers whose parameters stay as they are; * stands for any part")
    weights: Path | None = Field(
        None, description="safetensors file to start from: tensors of the same name and shape are taken"
    )
    checkpoint_minutes: float = Field(
        5.0, gt=0, allow_inf_nan=False, description="all is saved this often, besides at every validation"
    )
    tensorboard: bool = Field(False, description="write TensorBoard event files too (needs cnncli[tensorboard])")
    watch: WatchSettings | None = Field(
        None, description="what to keep of a few inputs while learning, `{}` for the defaults; by default nothing"
    )

    @model_validator(mode="after")
    def _one_kind_of_clipping(self) -> Self:
        if self.clip_norm is not None and self.clip_value is not None:
            raise ValueError("expected either clip_norm or clip_value, not both")
        return self

    def horizon(self, samples: int) -> Horizon:
        """How long a training on so many samples is."""
        updates = -(-batch_count(samples, self.batch_size) // self.accumulate)
        return Horizon(self.epochs * updates, updates)
