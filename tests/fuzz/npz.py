"""NPZ archives as a data set, NPY files as an input."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np

from cnncli.data import read_array
from cnncli.data.sources.npz import Npz
from tests.data.makers import labels, pixels
from tests.fuzz.mutate import mutated
from tests.fuzz.target import ACCEPTED, Target

SHAPE = (1, 6, 5)
HEADERS = (
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (80, 6, 5), }",
    b"{'descr': '<f4', 'fortran_order': True, 'shape': (80, 30), }",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (80,), }",
    b"{'descr': '<U1000000000', 'fortran_order': False, 'shape': (80,), }",
    b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (80,), }",
    b"{'descr': '|V0', 'fortran_order': False, 'shape': (99999999999,), }",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 6, 5), }",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (True, 6, 5), }",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"1, " * 40 + b"), }",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': " + b"(" * 300 + b")" * 300 + b", }",
    b"__import__('os').system('touch owned')",
    b"{}",
)
WORDS = (
    b"|O",
    b"(80, 6, 5)",
    b"(99999999999, 6, 5)",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x01\x02",
    b"\x93NUMPY",
    b"x.npy",
)


def npy(array: object) -> bytes:
    with io.BytesIO() as file:
        np.save(file, np.asarray(array))
        return file.getvalue()


def npy_with(header: bytes, content: bytes, version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", min(len(header) + 1, 65535))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + b"\n" + content


class NpzTarget(Target):
    """The first byte of a case says what file it is: z for an archive, y for a single array."""

    name = "npz"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        x, y = pixels(80, 6, 5), labels()
        self.x = [npy(x), npy(x.astype(np.float64)), npy(np.asfortranarray(x)), npy(x > 9), npy(x[:, None])]
        self.y = [npy(y), npy(y.astype(np.float32)), npy(np.eye(3)[y]), npy(y.astype(np.int64))]

    def make(self, rng: random.Random) -> bytes:
        if rng.random() < 0.25:
            return b"y" + mutated(rng, self._array(rng, [npy(pixels(6, 5)), *self.x]), WORDS, self.x)
        members = {"x.npy": self._array(rng, self.x), "y.npy": self._array(rng, self.y)}
        if rng.random() < 0.5:
            hurt = rng.choice(tuple(members))
            members[hurt] = mutated(rng, members[hurt], WORDS, self.x)
        if rng.random() < 0.2:
            members[rng.choice(("../out.npy", "/x.npy", "x.npy\0", "z" * 60_000 + ".npy", "y.npy/", ""))] = b"other"
        kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        with io.BytesIO() as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, content in members.items():
                    archive.writestr(zipfile.ZipInfo(name), content, rng.choices(kinds, (8, 8, 1, 1))[0])
            content = file.getvalue()
        return b"z" + (mutated(rng, content, WORDS) if rng.random() < 0.6 else content)

    def _array(self, rng: random.Random, right: list[bytes]) -> bytes:
        if rng.random() < 0.8:
            return rng.choice(right)
        return npy_with(rng.choice(HEADERS), bytes(2400), rng.choice((1, 2, 3)))

    def run(self, case: bytes) -> str:
        if case[:1] == b"y":
            path = self.folder / "a.npy"
            path.write_bytes(case[1:])
            array = read_array(str(path), SHAPE)
            assert array.shape[1:] == SHAPE
            array.sum()  # reads every number: what is mapped must be there
            return ACCEPTED
        path = self.folder / "a.npz"
        path.write_bytes(case[1:])
        dataset = Npz(path=path).open(SHAPE, seed=0)
        x, y = dataset.train.batch(np.arange(min(8, len(dataset.train))))
        assert x.shape == (len(y), *SHAPE), x.shape
        return ACCEPTED
