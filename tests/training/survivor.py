"""A small training that is to survive whatever happens to it, and what is compared afterwards."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from tests.cli.conftest import stripes

CONFIG = """\
name: survivor
seed: 3
data:
  source: npz
  path: stripes.npz
  classes: [across, down]
  validation: 0.2
  augment: [horizontal_flip]
model:
  input: [1, 8, 8]
  layers:
    - {type: conv2d, out_channels: 3, kernel_size: 3, bias: false}
    - batch_norm
    - relu
    - flatten
    - {type: dropout, p: 0.2}
    - {type: linear, out_features: 2}
optimizer: {type: adam, lr: 0.01}
schedule: cosine
train:
  epochs: 10
  batch_size: 8
  ema: 0.9
  clip_norm: 1.0
  validate_every: {steps: 5}
  checkpoint_minutes: 1.0e-9
"""
TIMES = {"seconds", "images_per_second", "data_wait"}


def prepare(folder: Path) -> Path:
    """Writes the data and the configuration, which is returned."""
    x, y = stripes(80, np.random.default_rng(0))
    np.savez(folder / "stripes.npz", x=x, y=y)
    config = folder / "survivor.yaml"
    config.write_text(CONFIG)
    return config


def outcome(run: Path) -> dict[str, Any]:
    """All that a training left, but for the times it took."""
    return {
        **{name: _tensors(run / name) for name in ("best.safetensors", "last.safetensors", "last.state.safetensors")},
        **{name: _rows(run / name) for name in ("metrics.csv", "health.csv")},
        "steps.jsonl": [_without_times(json.loads(line)) for line in (run / "steps.jsonl").read_text().splitlines()],
        "config.yaml": (run / "config.yaml").read_text(),
        "leftovers": leftovers(run),
    }


def require_whole(run: Path) -> None:
    """Every file that there is, is one whole file: old or new."""
    for path in run.glob("[!.]*"):
        if path.suffix == ".safetensors":
            _tensors(path)
        elif path.suffix == ".jsonl":
            for line in path.read_text().splitlines():
                json.loads(line)
        elif path.suffix == ".csv":
            assert len({len(row) for row in csv.reader(path.read_text().splitlines())}) == 1, path
        elif path.suffix == ".json":
            json.loads(path.read_text())


def leftovers(run: Path) -> list[str]:
    """Files that were being written."""
    return sorted(path.name for path in run.rglob("*.tmp"))


def _tensors(path: Path) -> dict[str, bytes]:
    return {key: array.tobytes() for key, array in load_file(path).items()}


def _rows(path: Path) -> list[dict[str, str]]:
    return [_without_times(row) for row in csv.DictReader(path.read_text().splitlines())]


def _without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in TIMES}
