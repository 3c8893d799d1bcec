"""IDX files, plain and gzipped, as a data set."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np

from cnncli.data.sources.idx import Idx
from tests.data.makers import idx_bytes, labels, pixels
from tests.fuzz.mutate import NUMBERS, mutated
from tests.fuzz.target import ACCEPTED, Target

SHAPE = (1, 6, 5)


class IdxTarget(Target):
    """The images of a data set whose labels are right, or the labels: the first byte of a case says which."""

    name = "idx"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.whole = {b"i": idx_bytes(pixels(80, 6, 5)), b"l": idx_bytes(labels())}
        others = [np.zeros((80, 6, 5), dtype) for dtype in ("int8", "int16", "int32", "float32", "float64")]
        self.others = [idx_bytes(array) for array in others]

    def make(self, rng: random.Random) -> bytes:
        which = rng.choice((b"i", b"i", b"l"))
        content = rng.choice([self.whole[which]] * 3 + self.others)
        if rng.random() < 0.3:
            header = bytearray(content)
            for at in range(4, 16, 4):
                if rng.random() < 0.5:
                    header[at : at + 4] = rng.choice(NUMBERS).to_bytes(4, "big")
            content = bytes(header)
        if rng.random() < 0.8:
            content = mutated(rng, content, others=self.others)
        if rng.random() < 0.4:
            content = gzip.compress(content, 1, mtime=0)
            if rng.random() < 0.3:
                content += gzip.compress(bytes(rng.choice((1, 10_000, 1_000_000))), 1, mtime=0)
            if rng.random() < 0.6:
                content = mutated(rng, content)
        return which + content

    def run(self, case: bytes) -> str:
        files = {**self.whole, case[:1]: case[1:]}
        images, targets = self.folder / "images", self.folder / "labels"
        images.write_bytes(files[b"i"])
        targets.write_bytes(files[b"l"])
        dataset = Idx(images=images, labels=targets).open(SHAPE, seed=0)
        x, y = dataset.train.batch(np.arange(min(8, len(dataset.train))))
        assert x.shape == (len(y), *SHAPE), x.shape
        assert x.dtype == np.float32
        return ACCEPTED
