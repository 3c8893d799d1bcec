"""What holds for all that looks inside: whatever it is shown, a picture or one clear message, never a crash."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.cli.app import COMMANDS
from tests.cli.conftest import Cli
from tests.cli.networks import NETWORKS, NUMBERS, error_of

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


NOWHERE = "error: grad-cam needs a layer with channels and positions (C, H, W), and the network has none"
REFUSED = {("visualize grad-cam", "one pixel"): NOWHERE, ("visualize grad-cam", "flat"): NOWHERE}
"""What a view cannot do for a network, by the command and the network."""


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


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("command", OF_AN_INPUT)
def test_whatever_it_is_shown_there_is_a_picture_or_a_reason(
    cli: Cli, place: Path, command: str, network: str, numbers: str
) -> None:
    write(place, network, NUMBERS[numbers])
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", *OF_AN_INPUT[command])
    if (command, network) in REFUSED:
        assert (done.code, error_of(done)) == (2, REFUSED[command, network])
    else:
        assert (done.code, bool(done.out.strip())) == (0, True)


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("command", OF_AN_INPUT)
def test_what_is_not_finite_is_told(cli: Cli, place: Path, command: str, number: str) -> None:
    write(place, "image", NOT_FINITE[number])
    done = cli(*command.split(), "--config", "net.yaml", "--input", "input.npy", *OF_AN_INPUT[command])
    assert done.code in (1, 2)  # the input is refused, or drawn and then told
    assert re.search(r"NaN|infinit|not finite", error_of(done))


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
