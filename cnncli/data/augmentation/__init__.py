"""Random changes to training samples that leave what they show, or mix it: one file a kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from cnncli.data.augmentation.affine import Affine, Rotate, Scale
from cnncli.data.augmentation.augmentation import Augmentation
from cnncli.data.augmentation.crop import Crop, Shift
from cnncli.data.augmentation.cutout import Cutout
from cnncli.data.augmentation.flip import HorizontalFlip, VerticalFlip
from cnncli.data.augmentation.light import Brightness, Contrast
from cnncli.data.augmentation.mixing import CutMix, Mixup
from cnncli.data.augmentation.noise import Noise

_Kinds = (
    HorizontalFlip
    | VerticalFlip
    | Crop
    | Shift
    | Rotate
    | Scale
    | Affine
    | Brightness
    | Contrast
    | Noise
    | Cutout
    | Mixup
    | CutMix
)
_Name = Literal[
    "horizontal_flip",
    "vertical_flip",
    "crop",
    "shift",
    "rotate",
    "scale",
    "affine",
    "brightness",
    "contrast",
    "noise",
    "cutout",
    "mixup",
    "cutmix",
]

AUGMENTATIONS: dict[str, type[Augmentation]] = dict(zip(get_args(_Name), get_args(_Kinds), strict=True))
"""Every augmentation, under its name in YAML."""


def _spelled_out(spec: Any) -> Any:
    """A bare word stands for the augmentation of that name with its defaults."""
    return {"type": spec} if isinstance(spec, str) else spec


AnyAugmentation = Annotated[
    _Kinds, Field(discriminator="type"), BeforeValidator(_spelled_out, json_schema_input_type=_Name | _Kinds)
]
"""The pydantic type of an element of `augment`: `horizontal_flip` or `{type: horizontal_flip, p: 0.3}`."""

__all__ = ["AUGMENTATIONS", "AnyAugmentation", "Augmentation"]
