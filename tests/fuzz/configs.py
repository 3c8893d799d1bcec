"""YAML files, and changes to them, as configurations of networks."""

from __future__ import annotations

import json
import random
from pathlib import Path

import cnncli.config
from cnncli.errors import ConfigError
from tests.config.test_bad_configs import table
from tests.config.test_fuzz import KEYS, PIECES, STEPS, VALUES
from tests.config.test_shipped_configs import CONFIGS
from tests.fuzz.mutate import mutated
from tests.fuzz.target import ACCEPTED, Target

WORDS = [piece.encode("utf-8", "surrogatepass") for piece in PIECES] + [
    b"&a [*a, *a]",
    b"!!python/object/apply:os.system [touch owned]",
    b"!!binary aGVsbG8=",
    b"%YAML 9.9\n---\n",
    b"{" * 70,
    b"- " * 200,
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"? ",
    b"<<: *a",
    b"x" * 5000,
    b"9" * 5000,
    b"1e400",
    b"\xe2\x80\xae",
]
LARGEST = 10_000
"""Bytes of a configuration that is written out, and read once more."""
LARGE = ("out_channels", "kernel_size", "stride", "padding", "out_features", "epochs", "batch_size", "seed", "lr")


class ConfigTarget(Target):
    """A case is a file, and after a NUL the changes to it, as JSON."""

    name = "config"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.texts = [path.read_bytes() for path in CONFIGS] + [bad.text.encode() for bad in table()]

    def make(self, rng: random.Random) -> bytes:
        match rng.randrange(10):
            case 0:
                text = self._nested(rng)
            case 1:
                text = b"".join(rng.choices(WORDS, k=rng.randrange(40)))
            case 2:
                text = self._tree(rng, 0).encode()
            case _:
                text = mutated(rng, rng.choice(self.texts), WORDS, self.texts)
        changes = [self._change(rng) for _ in range(rng.choice((0, 0, 0, 1, 3)))]
        return text.replace(b"\0", b"\\0" if rng.random() < 0.9 else b"\0") + b"\0" + json.dumps(changes).encode()

    def _nested(self, rng: random.Random) -> bytes:
        """Deep, wide, or with aliases that multiply."""
        deep, wide = rng.choice((10, 100, 10_000)), rng.choice((2, 10, 100))
        match rng.randrange(4):
            case 0:
                return rng.choice((b"[", b"{a: ", b"- ", b"? ", b"&a [")) * deep
            case 1:
                lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, deep // 5)]
                return "\n".join(["a0: &a0 [1, 2]", *lines]).encode()
            case 2:
                lines = [
                    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * wide)}], k{n}: 1}}" for n in range(1, deep // 5)
                ]
                return "\n".join(["a0: &a0 {k: 1}", *lines]).encode()
        return b"model: {input: [1, 8, 8], layers: [" + b"relu, " * deep + b"]}"

    def _tree(self, rng: random.Random, depth: int) -> str:
        """Well-formed YAML of known words in any order."""
        if depth > 5 or rng.random() < 0.3:
            return json.dumps(rng.choice((*VALUES, *KEYS))) if rng.random() < 0.3 else rng.choice((*VALUES, *KEYS))
        parts = [self._tree(rng, depth + 1) for _ in range(rng.randrange(5))]
        if rng.random() < 0.5:
            return f"[{', '.join(parts)}]"
        return "{" + ", ".join(f"{rng.choice((*KEYS, *LARGE))}: {part}" for part in parts) + "}"

    def _change(self, rng: random.Random) -> str:
        place = ".".join(rng.choices(STEPS + LARGE, k=rng.randint(1, 4)))
        return f"{place}={rng.choice((*VALUES, self._tree(rng, 3), ''.join(rng.choices(PIECES, k=3))))}"

    def run(self, case: bytes) -> str:
        text, _, changes = case.rpartition(b"\0")
        path = self.folder / "a.yaml"
        path.write_bytes(text)
        experiment = cnncli.config.load(path, json.loads(changes))
        if len(text) < LARGEST:
            try:
                again = cnncli.config.load(experiment.to_yaml())
            except ConfigError as error:
                raise AssertionError(f"what was resolved is refused: {error}") from error
            assert again == experiment
        return ACCEPTED
