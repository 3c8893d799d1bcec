"""The `train` section."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cnncli.data.dataset import SPLITS
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


class TrainSettings(BaseModel):
    """How long to train, and on how many samples at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(5, ge=1, description="passes over the training split")
    batch_size: int = Field(64, ge=1, description="samples in one step")
    watch: WatchSettings | None = Field(
        None, description="what to keep of a few inputs while learning, `{}` for the defaults; by default nothing"
    )
