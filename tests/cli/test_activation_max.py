from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.cli.conftest import Cli

QUICK = ("--steps", 20, "--samples", 30)


def test_the_classes_are_drawn_where_no_layer_is_given(cli: Cli, trained: Path) -> None:
    done = cli("visualize", "activation-max", "--run", "runs/first", *QUICK, "--json")
    assert (done.code, done.err) == (0, "no --layer is given: this is classes\n")
    (layer,) = done.json["layers"]
    assert [peak["name"] for peak in layer["peaks"]] == ["across", "down"]
    assert all(peak["value"] > peak["noise"] for peak in layer["peaks"])
    assert done.json["samples"] == "30 of the 40 samples of test"
    assert done.json["steps"] == 20


def test_the_pictures_and_the_inputs_behind_them(cli: Cli, trained: Path) -> None:
    options = ("--run", "runs/first", "--layer", "relu1", "--top", 2, "--out", "out", "--npy")
    done = cli("visualize", "activation-max", *options, *QUICK)
    assert (done.code, done.err) == (0, "")
    made = np.load(trained / "out/activation-max/02_relu1__activation-max_r1.npy")
    assert made.shape == (2, 1, 8, 8)
    assert (trained / "out/activation-max/02_relu1__activation-max.png").exists()


def test_inputs_of_ones_own_are_compared_with(cli: Cli, trained: Path) -> None:
    inputs = ("--input", "test:3", "--input", "test:8")
    done = cli("visualize", "activation-max", "--run", "runs/first", *inputs, "--steps", 5)
    assert done.code == 0
    assert "the best of 2 inputs" in done.out
    both = cli("visualize", "activation-max", "--run", "runs/first", *inputs, "--split", "train")
    assert both.code == 2
    assert both.err.startswith("error: --input and --split were both given")


def test_a_network_without_data_is_compared_with_nothing(cli: Cli, folder: Path) -> None:
    layers = "[{type: conv2d, out_channels: 2, kernel_size: 3}]"
    (folder / "bare.yaml").write_text(f"model: {{input: [1, 6, 6], layers: {layers}}}")
    done = cli("visualize", "activation-max", "--config", "bare.yaml", "--steps", 5, "--json")
    assert done.code == 0
    assert done.json["samples"] is None
    assert {peak["sample"] for peak in done.json["layers"][0]["peaks"]} == {None}


def test_what_is_not_finite_is_told(cli: Cli, trained: Path) -> None:
    weights = load_file(trained / "runs/first/best.safetensors")
    weights["conv.weight"][0] = np.nan
    save_file(weights, trained / "broken.safetensors")
    options = ("--run", "runs/first", "--checkpoint", "broken.safetensors", "--layer", "conv")
    done = cli("visualize", "activation-max", *options, *QUICK)
    assert done.code == 1
    assert done.err == "error: NaN or infinity in conv\n"
    assert "made from noise" in done.out


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (np.nan, "x.npy: 1 of 64 numbers are NaN or infinite; give finite numbers"),
        (-np.inf, "x.npy: 1 of 64 numbers are NaN or infinite; give finite numbers"),
        (0.0, "x.npy: in no channel does a number differ from another, so there is no range in which to make inputs"),
    ],
)
def test_samples_without_a_range_are_refused(cli: Cli, folder: Path, number: float, message: str) -> None:
    x = np.zeros((1, 8, 8))
    x[0, 3, 4] = number
    np.save(folder / "x.npy", x)
    done = cli("visualize", "activation-max", "--config", "stripes.yaml", "--input", "x.npy", "--steps", 3)
    assert (done.code, done.out) == (2, "")
    assert f"error: {message}" in done.err
