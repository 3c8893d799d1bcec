"""safetensors files as weights and as the state of a training."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy as np

from cnncli.graph import Model
from cnncli.training.checkpoint import load_state, load_weights, save_weights
from tests.fuzz.mutate import HUGE, mutated
from tests.fuzz.target import ACCEPTED, Target
from tests.training.networks import convnet

KINDS = ("F32", "F64", "F16", "BF16", "F8_E4M3", "F4", "I64", "U64", "BOOL", "C64", "pickle", "", "F" * 5000)
NAMES = ("x" * 100_000, "\0", "\u202e", "a\nb", "weights.", "optimizer.", "optimizer.m", "average.", "average.x")
ODD = (None, -1, "x", [], {}, [[]], [{}], 1e308, 2**70, True, "9" * 5000)
WORDS = (b'"F32"', b'"BOOL"', b'"data_offsets":[0,4]', b'"shape":[9999999999,9999999999]', b"{", b"}", b"[" * 500, b'"')


class CheckpointsTarget(Target):
    """The first byte of a case says whether it is given as weights (w) or as a state (s)."""

    name = "safetensors"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.model = Model.create(convnet(), seed=0)
        self.path = folder / "a.safetensors"
        save_weights(self.path, self.model)
        self.weights = self.path.read_bytes()
        self.state = state_bytes(folder, self.model)

    def make(self, rng: random.Random) -> bytes:
        which = rng.choice((b"w", b"s"))
        content = self.weights if which == b"w" else self.state
        if rng.random() < 0.6:
            content = self._rebuilt(rng, content)
            if rng.random() < 0.7:
                return which + content
        return which + mutated(rng, content, WORDS, [self.weights, self.state])

    def _rebuilt(self, rng: random.Random, content: bytes) -> bytes:
        """A file whose header is well formed, and says something else."""
        (size,) = struct.unpack_from("<Q", content)
        header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
        for _ in range(rng.choice((1, 1, 2, 3))):
            self._change(rng, header)
        text = json.dumps(header).encode()
        if rng.random() < 0.2:
            text = mutated(rng, text, WORDS)
        length = len(text) if rng.random() < 0.9 else rng.choice(HUGE)
        return struct.pack("<Q", length) + text + data

    def _change(self, rng: random.Random, header: dict[str, object]) -> None:
        keys = [key for key in header if key != "__metadata__"]
        if not keys:
            return
        key = rng.choice(keys)
        tensor = header[key]
        about = header.get("__metadata__")
        assert isinstance(tensor, dict)
        match rng.randrange(7):
            case 0:
                tensor["shape"] = [rng.choice(HUGE) for _ in range(rng.randrange(6))]
            case 1:
                tensor["dtype"] = rng.choice(KINDS)
            case 2:
                tensor["data_offsets"] = rng.choice(([0, 0], [0, 4], [4, 0], [0, 2**63], [2**64 - 1, 1], [-1, 3], []))
            case 3:
                other = header[rng.choice(keys)]
                assert isinstance(other, dict)
                tensor["data_offsets"] = other.get("data_offsets", [0, 0])
            case 4:
                del header[key]
            case 5:
                header[rng.choice(("x" * 100_000, "\0", "\u202e", "weights.", "optimizer.", "optimizer.m", "a\nb"))] = (
                    tensor
                )
            case 6 if isinstance(about, dict):
                text = mutated(rng, about.get("cnncli", "{}").encode(), (b"null", b"[]", b"{}", b"[" * 5000, b"1e999"))
                about["cnncli"] = rng.choice((text.decode(errors="replace"), json.dumps(self._odd(rng, text))))

    def _odd(self, rng: random.Random, text: bytes) -> object:
        """The same keys, with values of other kinds."""
        try:
            about = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if isinstance(about, dict) and about:
            about[rng.choice(sorted(about))] = rng.choice(ODD)
        return about

    def run(self, case: bytes) -> str:
        self.path.write_bytes(case[1:])
        if case[:1] == b"w":
            load_weights(self.path, self.model)
        else:
            state = load_state(self.path, self.model)
            assert all(slot.shape == self.model.flat.shape for slot in state.slots.values())
        assert all(np.asarray(array).dtype.kind in "fi" for array in self.model.state_dict().values())
        return ACCEPTED


def state_bytes(folder: Path, model: Model) -> bytes:
    """The state that a short training leaves."""
    from cnncli.losses import CrossEntropy
    from cnncli.training.loop import fit
    from cnncli.training.optimizers import Adam
    from cnncli.training.run_directory import RunDirectory
    from cnncli.training.settings import TrainSettings
    from tests.training.networks import dataset

    run = RunDirectory.create("run", "", folder / "run")
    fit(model, dataset(), CrossEntropy(), Adam(), TrainSettings(epochs=1, batch_size=32), workers=1, run=run)
    return run.state.read_bytes()
