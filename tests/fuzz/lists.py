"""CSV files that list pictures and their labels."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from cnncli.data.sources.csv import Csv
from tests.data.makers import write_pictures
from tests.fuzz.mutate import mutated
from tests.fuzz.target import ACCEPTED, Target

SHAPE = (3, 6, 8)
PATHS = [f"{name}/{index}.png" for name in ("ant", "bee") for index in range(6)]
COLUMNS = (
    "label,ant,bee",
    "label,0,1",
    "x,0.5,-1e3",
    "x,1e39,nan",
    "split,train,test",
    "split,train,val",
    "label,ant,1",
)
ODD = (
    "../outside.png",
    "/etc/passwd",
    "link.png",
    "missing.png",
    "",
    ".",
    "ant",
    "a" * 5000,
    "ant/0.png\0",
    "list.csv",
    "~",
)
WORDS = (
    b'"',
    b'""',
    b",",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"ant",
    b"../x.png",
    b";",
    b"a" * 200_000,
    b"nan",
)


class ListsTarget(Target):
    """A case is the CSV file; the pictures are there."""

    name = "csv"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        home = folder / "home"
        write_pictures(home, {"ant": 6, "bee": 6})
        write_pictures(folder, {"secret": 1})
        (home / "link.png").symlink_to(folder / "secret" / "0.png")
        self.path = home / "list.csv"

    def make(self, rng: random.Random) -> bytes:
        columns = [column.split(",") for column in rng.sample(COLUMNS, rng.randrange(1, 4))]
        lines = [["path", *(column[0] for column in columns)]]
        for path in PATHS:
            picture = rng.choice(ODD) if rng.random() < 0.02 else path
            lines.append([picture, *(rng.choice(column[1:]) for column in columns)])
        content = "\n".join(map(",".join, lines)).encode()
        return mutated(rng, content, WORDS) if rng.random() < 0.6 else content

    def run(self, case: bytes) -> str:
        self.path.write_bytes(case)
        dataset = Csv(path=self.path).open(SHAPE, seed=0)
        x, y = dataset.train.batch(np.arange(min(4, len(dataset.train))))
        assert x.shape == (len(y), *SHAPE), x.shape
        return ACCEPTED
