"""All kinds of input, by name."""

from __future__ import annotations

from tests.fuzz.arguments import ArgumentsTarget
from tests.fuzz.checkpoints import CheckpointsTarget
from tests.fuzz.cifar import CifarTarget
from tests.fuzz.configs import ConfigTarget
from tests.fuzz.idx import IdxTarget
from tests.fuzz.lists import ListsTarget
from tests.fuzz.npz import NpzTarget
from tests.fuzz.pictures import PicturesTarget
from tests.fuzz.target import Target

TARGETS: dict[str, type[Target]] = {
    target.name: target
    for target in (
        ConfigTarget,
        IdxTarget,
        NpzTarget,
        PicturesTarget,
        CheckpointsTarget,
        ArgumentsTarget,
        ListsTarget,
        CifarTarget,
    )
}
