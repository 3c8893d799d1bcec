"""The command line as a function, and a small network with its data to use it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.__main__ import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_constant=_not_json)


def _not_json(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs one command in this process, as the entry point does, with its output in a pipe."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "\x1b" not in out + err
        return Outcome(code, out, err)

    return run


NETWORK = """\
name: stripes
data: {source: npz, path: stripes.npz, classes: [across, down], validation: 0.2}
model:
  input: [1, 8, 8]
  layers:
    - {type: conv2d, name: conv, out_channels: 3, kernel_size: 3}
    - relu
    - {type: max_pool2d, kernel_size: 2}
    - flatten
    - {type: linear, name: classes, out_features: 2}
optimizer: {type: adam, lr: 0.01}
train: {epochs: 2, batch_size: 16}
"""


def stripes(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of stripes, (N, 1, 8, 8) uint8, class 0 across, class 1 down."""
    labels = rng.integers(2, size=count)
    ramp = (np.arange(8) + rng.integers(4, size=(count, 1))) % 4 < 2  # (N, 8)
    across = np.repeat(ramp[:, :, None], 8, axis=2)
    pictures = np.where(labels[:, None, None] == 0, across, across.swapaxes(1, 2))
    noise = rng.integers(60, size=pictures.shape)
    return (pictures * 180 + noise).astype(np.uint8)[:, None], labels


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with stripes.yaml and its data."""
    rng = np.random.default_rng(0)
    (x_train, y_train), (x_test, y_test) = stripes(120, rng), stripes(40, rng)
    np.savez(tmp_path / "stripes.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    (tmp_path / "stripes.yaml").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def trained(folder: Path, cli: Cli) -> Path:
    """The folder, with a finished run in runs/first."""
    assert cli("train", "--config", "stripes.yaml", "--out", "runs/first", "--quiet").code == 0
    return folder
