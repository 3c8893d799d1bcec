"""What holds for all that looks inside: whatever it is shown, a picture or one clear message, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.cli.app import COMMANDS
from tests.cli.conftest import Cli

NETWORKS = {
    "image": (
        (1, 8, 8),
        "[{type: conv2d, name: first, out_channels: 3, kernel_size: 3}, relu, "
        "{type: max_pool2d, kernel_size: 2}, flatten, {type: linear, out_features: 3}]",
    ),
    "one pixel": (
        (1, 1, 1),
        "[{type: conv2d, name: first, out_channels: 2, kernel_size: 1}, relu, flatten, "
        "{type: linear, out_features: 3}]",
    ),
    "flat": ((4,), "[{type: linear, name: first, out_features: 5}, tanh, {type: linear, out_features: 3}]"),
    "many channels": (
        (2048, 2, 2),
        "[{type: conv2d, name: first, out_channels: 4, kernel_size: 1}, relu, "
        "global_avg_pool2d, {type: linear, out_features: 3}]",
    ),
    "colour": (
        (3, 6, 5),
        "[{type: conv2d, name: first, out_channels: 4, kernel_size: 3, padding: same}, batch_norm, relu, "
        "global_avg_pool2d, {type: linear, out_features: 3}]",
    ),
    "no rectifier": (
        (1, 6, 6),
        "[{type: conv2d, name: first, out_channels: 2, kernel_size: 3}, sigmoid, flatten, "
        "{type: linear, out_features: 3}, softmax]",
    ),
}
NUMBERS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "random": lambda shape: np.random.default_rng(0).standard_normal(shape),
    "zero": np.zeros,
    "constant": lambda shape: np.full(shape, 0.5),
    "huge": lambda shape: np.full(shape, 1e30),
    "tiny": lambda shape: np.full(shape, 1e-35),
}
NOT_FINITE = {"nan": np.nan, "inf": np.inf}

VISUALIZE = next(command for command in COMMANDS if command.name == "visualize")
OF_DATA = ("patches", "embedding", "confusion", "mistakes")
OF_RUNS = ("curves", "evolution")
WITHOUT_INPUT = ("filters", "architecture", "activation-max")
OF_AN_INPUT = {
    "forward": [],
    "backward": ["--label", "1"],
    "trace": ["--layer", "first"],
    **{f"visualize {name}": [] for name in VISUALIZE.commands if name not in (*OF_DATA, *OF_RUNS, *WITHOUT_INPUT)},
    "visualize gradients": ["--label", "1"],
    "visualize step": ["--label", "1"],
    "trace --backward": ["--layer", "first", "--label", "1"],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, network: str, numbers: Any) -> tuple[int, ...]:
    """net.yaml and input.npy."""
    shape, layers = NETWORKS[network]
    (folder / "net.yaml").write_text(f"model: {{input: {list(shape)}, layers: {layers}}}\n")
    np.save(
        folder / "input.npy", np.asarray(numbers(shape) if callable(numbers) else np.full(shape, numbers), np.float32)
    )
    return shape


def is_clear(message: str) -> bool:
    """One error, not a heap of lines, that ends like one."""
    errors = [line for line in message.splitlines() if line.startswith("error: ")]
    return len(errors) >= 1 and all(len(line) > 20 for line in errors)


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("command", OF_AN_INPUT)
def test_whatever_it_is_shown_there_is_a_picture_or_a_reason(
    cli: Cli, place: Path, command: str, network: str, numbers: str
) -> None:
    write(place, network, NUMBERS[numbers])
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", *OF_AN_INPUT[command])
    if done.code == 0:
        assert done.out.strip()
    else:
        assert done.code in (1, 2)
        assert is_clear(done.err)
    if numbers == "random" and network == "image":
        assert done.code == 0


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("command", OF_AN_INPUT)
def test_what_is_not_finite_is_told(cli: Cli, place: Path, command: str, number: str) -> None:
    write(place, "image", NOT_FINITE[number])
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", *OF_AN_INPUT[command])
    assert done.code in (1, 2)
    assert is_clear(done.err)


@pytest.mark.parametrize("command", OF_AN_INPUT)
def test_every_view_is_json_too(cli: Cli, place: Path, command: str) -> None:
    write(place, "image", NUMBERS["random"])
    options = OF_AN_INPUT[command]
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", "--json", *options)
    assert done.code == 0
    assert isinstance(done.json, dict)


@pytest.mark.parametrize("command", [name for name in OF_AN_INPUT if not name.startswith("trace")])
def test_every_view_is_written_as_pictures(cli: Cli, place: Path, command: str) -> None:
    write(place, "image", NUMBERS["random"])
    options = OF_AN_INPUT[command]
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", "--out", "out", *options)
    assert done.code == 0
    assert list((place / "out").rglob("*.png"))
