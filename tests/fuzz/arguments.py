"""Words on the command line, in a folder with a configuration, its data, a finished training and single inputs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cnncli.__main__ import main
from cnncli.cli.app import command_tree
from cnncli.cli.commands import Command
from tests.cli.conftest import NETWORK, stripes
from tests.fuzz.target import ACCEPTED, Target

CODES = (0, 1, 2, 3)
NETWORKS = (
    ("--config", "stripes.yaml"),
    ("--run", "first"),
    ("--config", "bare.yaml"),
    ("--config", "stripes.yaml", "--checkpoint", "first/last.safetensors"),
)
BRIEF = {"bench": ("--steps", "1")}
"""What keeps commands that would take seconds short."""
_PLAIN = """
    0 1 2 3 -1 1.5 1e999 nan 0x10 1_000 x - -- = [ ] {} * ~ true null 0,1 0-1 3-1 train val test float32 float64
    first stripes.yaml stripes.npz stripes.npz:x_test a.npy a.png a.txt new new.npz empty missing.yaml
    first/last.safetensors first/last.state.safetensors test:0 val:1 train:99999 test: conv classes relu across
    classes.weight[0,0] conv[0,0,0] conv=0
"""
VALUES = [*_PLAIN.split(), "\u00e9", "\u202e", "\x1b[31m", "\0", "\ud800", "two\nlines", "a" * 3000, "9" * 30]
_CHANGES = """
    optimizer.lr=1e30 optimizer.lr=nan optimizer=sgd optimizer={type:sgd,momentum:2} schedule=cosine
    loss=mse loss=bce_with_logits loss=hinge seed=-1 seed=7 name=.. = a .=1 x=y=z
    data=null data.path=missing data.path=a.npy data.validation=0 data.validation=0.999 data.limit=1
    data.classes=[a,b,c] data.augment=[horizontal_flip,mixup] data.sampling=balanced
    train=null train.batch_size=1 train.batch_size=1000000000 train.epochs=1 train.epochs=0 train.watch={}
    train.clip_norm=0 train.ema=2 train.freeze=[conv] train.freeze=[x] train.monitor=x train.metrics=[f1]
    train.weights=first/best.safetensors train.weights=a.npy train.early_stopping={} train.class_weight=[1]
    model.layers.0.out_channels=1000000000 model.layers.0.out_channels=1048576 model.layers.0.kernel_size=9
    model.layers.4.out_features=1 model.layers.4.out_features=1048576 model.layers=[] model.layers.9=relu
    model.layers.0.init={weight:x} model.input=[64] model.input=[3,8,8] model.input=[1,30000,30000]
"""
CHANGES = _CHANGES.split()
BARE = "model: {input: [1, 3, 3], layers: [{type: conv2d, out_channels: 2, kernel_size: 2}]}\n"


class ArgumentsTarget(Target):
    """A case is a list of words, as JSON."""

    name = "arguments"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        rng = np.random.default_rng(0)
        (x_train, y_train), (x_test, y_test) = stripes(24, rng), stripes(8, rng)
        np.savez(folder / "stripes.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        config = NETWORK.replace("epochs: 2", "epochs: 1").replace("path: ", f"path: {folder}/")
        (folder / "stripes.yaml").write_text(config)
        (folder / "bare.yaml").write_text(BARE)
        np.save(folder / "a.npy", x_test[0])
        (folder / "a.txt").write_text("1 2 3\n4 5 6\n7 8 9\n")
        Image.fromarray(x_test[0, 0]).save(folder / "a.png")
        (folder / "empty").mkdir()
        assert self._main("train", "--config", f"{folder}/stripes.yaml", "--out", f"{folder}/first", "--quiet")[0] == 0
        self.kept = {entry.name for entry in os.scandir(folder)}
        self.first = {entry.name for entry in os.scandir(folder / "first")}
        self.commands = commands()

    def make(self, rng: random.Random) -> bytes:
        path, options = rng.choice(self.commands)
        words = [*path, *BRIEF.get(path[-1], ())]
        if rng.random() < 0.85:
            words += rng.choice(NETWORKS)
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            words += self._option(rng, options)
        if rng.random() < 0.3:
            self._disturb(rng, words)
        return json.dumps(words).encode()

    def _option(self, rng: random.Random, options: list[Any]) -> list[str]:
        if not options or rng.random() < 0.1:
            return [rng.choice(("--json", "--help", "--set", "--version", "--out", "-", "--", "-x", "--verbose"))]
        option = rng.choice(options)
        name = rng.choice(option.opts)
        if not name.startswith("-"):
            return [rng.choice(VALUES)]
        if getattr(option, "is_flag", False):
            return [name]
        value = rng.choice(CHANGES if name in ("--set", "-s") else VALUES)
        return [f"{name}={value}"] if rng.random() < 0.2 else [name, value]

    def _disturb(self, rng: random.Random, words: list[str]) -> None:
        place = rng.randrange(len(words) + 1)
        match rng.randrange(4):
            case 0:
                words.insert(place, rng.choice(VALUES))
            case 1:
                del words[place : place + 1]
            case 2:
                words[place:place] = words[place : place + 2]
            case 3 if place < len(words):
                word = words[place]
                cut = rng.randint(0, len(word))
                words[place] = (
                    word[:cut] + rng.choice(("", "x", "=", " ", "\u00e9", word)) + word[cut + rng.randrange(3) :]
                )

    def run(self, case: bytes) -> str:
        words = json.loads(case)
        try:
            code, out, err = self._main(*words)
        finally:
            self._tidy()
        assert code in CODES, f"exit code {code}"
        assert "Traceback" not in err, err
        if code == 2:
            assert err.startswith("error: "), err
            assert not out, out
        if code == 0 and is_json(words):
            json.loads(out)
        return ACCEPTED if code == 0 else f"exit {code}"

    def _main(self, *words: str) -> tuple[int, str, str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
        return code, *(stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]

    def _tidy(self) -> None:
        """Leaves the folder as it was."""
        kept_in = {self.folder: self.kept, self.folder / "first": self.first, self.folder / "empty": set()}
        for root, kept in kept_in.items():
            for entry in os.scandir(root):
                if entry.name in kept:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry)
                else:
                    os.unlink(entry)


def is_json(words: list[str]) -> bool:
    """Whether a JSON document is asked for, as far as can be told: before --json there may be an option's name, whose
    value it is then."""
    if "--json" not in words or {"--help", "-h", "--version"}.intersection(words):
        return False
    return not words[words.index("--json") - 1].startswith("-")


def commands() -> list[tuple[list[str], list[Any]]]:
    """The words of every command, and its options."""
    found: list[tuple[list[str], list[Any]]] = []

    def collect(group: Any, path: list[str]) -> None:
        for name, command in group.commands.items():
            if isinstance(command, Command):
                command.load()
                found.append(([*path, name], command.params))
            else:
                collect(command, [*path, name])

    collect(command_tree(), [])
    return found
