"""The files of CIFAR-100's binary version."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from cnncli.data.sources.cifar import Cifar100
from tests.data.makers import pixels
from tests.fuzz.mutate import mutated
from tests.fuzz.target import ACCEPTED, Target

SHAPE = (3, 32, 32)
RECORD = 2 + 3 * 32 * 32


class CifarTarget(Target):
    """The first byte of a case says which file it is: the training data (t), or the names of the classes (n)."""

    name = "cifar"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        records = pixels(12, RECORD)
        records[:, :2] %= 3
        self.whole = {b"t": records.tobytes(), b"n": b"apple\nbear\ncup\n"}
        (folder / "test.bin").write_bytes(self.whole[b"t"])

    def make(self, rng: random.Random) -> bytes:
        which = rng.choice((b"t", b"n"))
        content = mutated(rng, self.whole[which], (b"\n", b"\0", b"\xff", b"bear\n"))
        if which == b"t" and rng.random() < 0.5:
            content = content[: len(content) // RECORD * RECORD]
        return which + content

    def run(self, case: bytes) -> str:
        files = {**self.whole, case[:1]: case[1:]}
        (self.folder / "train.bin").write_bytes(files[b"t"])
        (self.folder / "fine_label_names.txt").write_bytes(files[b"n"])
        dataset = Cifar100(path=self.folder).open(SHAPE, seed=0)
        x, y = dataset.train.batch(np.arange(min(4, len(dataset.train))))
        assert x.shape == (len(y), *SHAPE), x.shape
        return ACCEPTED
