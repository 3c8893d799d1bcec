"""forward and backward over many samples, the mirror in files, a step, the architecture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cnncli
from cnncli.errors import UsageError
from tests.cli.conftest import Cli

RUN = ("--run", "runs/first")


def test_numbers_over_many_samples(cli: Cli, trained: Path) -> None:
    done = cli("forward", *RUN, "--samples", "25")
    assert (done.code, done.err) == (0, "")
    assert "statistics over 25 samples; pictures and values of test:0, the first" in done.out
    assert "dead" in done.out
    view = cli("forward", *RUN, "--samples", "25", "--json").json
    relu = next(row for row in view["layers"] if row["name"] == "relu1")
    assert relu["statistics"]["size"] == 25 * 3 * 6 * 6
    assert isinstance(relu["dead"], list)
    assert cli("forward", *RUN, "--json").json["layers"][2]["dead"] is None


def test_several_inputs_are_as_good_as_samples(cli: Cli, trained: Path) -> None:
    """All 40 samples of the split, one way and the other."""
    inputs = [word for index in range(40) for word in ("-i", f"test:{index}")]
    options = (*RUN, "--dtype", "float64", "--json")
    for command in ("forward", "backward"):
        given, found = cli(command, *options, *inputs).json, cli(command, *options, "--samples", "40").json
        assert given["subject"] == found["subject"]
        for ours, theirs in zip(given["layers"], found["layers"], strict=True):
            assert ours["dead"] == theirs["dead"]
            for name, value in ours["statistics"].items():
                assert theirs["statistics"][name] == pytest.approx(value, rel=1e-9, abs=1e-12)
        if command == "backward":
            assert given["objective"] == pytest.approx(found["objective"])
            assert given["subject"]["target"] == "cross_entropy loss, mean over 40 samples"
            for ours, theirs in zip(given["parameters"], found["parameters"], strict=True):
                assert ours["gradient"]["norm"] == pytest.approx(theirs["gradient"]["norm"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "test:0"], "error: --samples takes samples of the data, and --input is given too"),
        (["--save", "x.npz"], "error: --save writes every array, and --samples keeps only numbers about them"),
    ],
)
def test_what_does_not_go_with_many_samples(cli: Cli, trained: Path, options: list[str], message: str) -> None:
    for command in ("forward", "backward"):
        done = cli(command, *RUN, "--samples", "5", *options)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(message)


def test_many_samples_with_a_target(cli: Cli, trained: Path) -> None:
    view = cli("backward", *RUN, "--samples", "8", "--target", "down", "--json").json
    assert view["subject"]["target"] == "logit of class down, sum over 8 samples"


def test_the_mirror_is_drawn_and_written(cli: Cli, trained: Path) -> None:
    done = cli("backward", *RUN, "--input", "test:0", "--out", "pictures")
    assert done.code == 0
    assert "wrote 6 pictures into pictures/backward" in done.err
    names = sorted(path.name for path in (trained / "pictures/backward").glob("*.png"))
    assert names == [
        "00_input__mirror.png",
        "00_overview__mirror.png",
        "01_conv__mirror.png",
        "02_relu1__mirror.png",
        "03_max_pool2d1__mirror.png",
        "05_classes__mirror.png",
    ]
    assert "dL/dW" in done.out
    one = cli("backward", *RUN, "--input", "test:0", "--layer", "conv", "--out", "one")
    assert "wrote 1 picture" in one.err


def test_several_inputs_are_rows(cli: Cli, trained: Path) -> None:
    inputs = ("-i", "test:0", "-i", "test:1")
    board = cli("visualize", "feature-maps", *RUN, *inputs, "--layer", "conv", "--json").json
    (sheet,) = board["sheets"]
    assert [row["title"][0] for row in sheet["rows"]] == ["test:0", "test:1"]
    drawn = cli("visualize", "gradients", *RUN, *inputs, "--layer", "conv")
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out.count("test:1") == 1
    step = cli("visualize", "step", *RUN, *inputs, "--layer", "conv").out
    assert "a and dL/da are of the first of 2 samples, test:0" in step
    assert "input test:0 (number 1 of 2)" in step


def test_the_label_of_all_inputs_is_told(cli: Cli, trained: Path) -> None:
    several = cli("backward", *RUN, "--samples", "9", "--label", "down", "--json").json["subject"]
    assert several["target"] == "cross_entropy loss of label down, mean over 9 samples"
    mixed = cli("backward", *RUN, "--samples", "40", "--json").json["subject"]
    assert mixed["target"] == "cross_entropy loss, mean over 40 samples"
    named = ("--label", "across", "--label", "down", "--label", "down")
    given = cli("backward", *RUN, "--samples", "3", *named, "--json").json["subject"]
    assert given["target"] == "cross_entropy loss, mean over 3 samples"
    step = cli("visualize", "step", *RUN, "-i", "test:0", "--label", "down", "--json").json["subject"]
    assert (step["true"], step["target"]) == ("down", "cross_entropy loss of label down")


def test_nan_is_blamed_on_the_input(cli: Cli, trained: Path) -> None:
    x = np.ones((1, 8, 8))
    x[0, 2, 3] = np.nan
    np.save("nan.npy", x)
    for command in (("backward",), ("visualize", "step")):
        done = cli(*command, *RUN, "--input", "nan.npy", "--label", "down")
        assert done.code == 1
        (error,) = [line for line in done.err.splitlines() if line.startswith("error")]
        assert error.startswith("error: NaN or infinity in input, and in ")
        assert error.endswith(" more")


def test_a_step(cli: Cli, trained: Path) -> None:
    before = (trained / "runs/first/best.safetensors").read_bytes()
    done = cli("visualize", "step", *RUN, "--input", "train:0", "--lr", "0.001")
    assert (done.code, done.err) == (0, "")
    assert "-lr |g|^2" in done.out
    assert "after - before" in done.out
    document = cli("visualize", "step", *RUN, "--input", "train:0", "--lr", "0.001", "--json").json
    first, second = document["shares"][:2]
    assert first["predicted"] == pytest.approx(-0.001 * document["gradient_norm"] ** 2)
    assert second["rest"] == pytest.approx(first["rest"] / 4, rel=0.1)
    assert document["files"] == []
    assert document["sheets"]
    assert (trained / "runs/first/best.safetensors").read_bytes() == before


def test_a_step_on_a_batch_with_the_configured_optimizer(cli: Cli, trained: Path) -> None:
    done = cli("visualize", "step", *RUN, "--samples", "12", "--steps", "2", "--out", "pictures", "--layer", "conv")
    assert done.code == 0
    assert done.err == "no --input is given: this is train:0 and 11 more\n"
    assert "2 steps of adam with lr 0.01" in done.out
    assert "wrote pictures/step/01_conv__step.png" in done.out
    assert (trained / "pictures/step/01_conv__step.png").is_file()


@pytest.mark.parametrize("lr", ["0", "-1", "nan", "inf"])
def test_a_step_has_a_length(cli: Cli, trained: Path, lr: str) -> None:
    done = cli("visualize", "step", *RUN, "--lr", lr)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --lr ")


def test_a_step_leaves_the_session_as_it_is(trained: Path) -> None:
    session = cnncli.load(run="runs/first")
    state = {key: array.copy() for key, array in session.model.state_dict().items()}
    result = cnncli.step(session, samples=8, lr=0.5, train_mode=True)
    assert result.descent.change.dtype == np.float64
    for key, array in session.model.state_dict().items():
        np.testing.assert_array_equal(array, state[key])
    with pytest.raises(UsageError, match="the network has no parameters"):
        cnncli.step("stripes.yaml", set=["model.layers=[flatten]", "loss=mse"])


def test_the_architecture(cli: Cli, trained: Path) -> None:
    done = cli("visualize", "architecture", "--config", "stripes.yaml")
    assert (done.code, done.err) == (0, "")
    assert "conv2d 3x3" in done.out
    view = cli("visualize", "architecture", "--config", "stripes.yaml", "--json").json
    assert [box["names"] for box in view["boxes"]][:2] == [["input"], ["conv"]]
    written = cli("visualize", "architecture", "--config", "stripes.yaml", "--out", "pictures")
    assert written.out == "wrote pictures/architecture/architecture.png\n"
    with Image.open(trained / "pictures/architecture/architecture.png") as image:
        assert image.size[0] > 100


@pytest.mark.parametrize("place", ["stripes.npz", "stripes.npz/x"])
@pytest.mark.parametrize("command", ["forward", "backward", "visualize architecture"])
def test_pictures_cannot_go_into_a_file(cli: Cli, folder: Path, command: str, place: str) -> None:
    done = cli(*command.split(), "--config", "stripes.yaml", "--out", place)
    assert (done.code, done.out) == (2, "")
    expected = "stripes.npz is a file; expected a folder, which need not be there yet"
    assert done.err == f"error: --out {place}: {expected}\n"


def test_the_numbers_of_a_regression_are_no_classes(cli: Cli, folder: Path) -> None:
    np.save("x.npy", np.ones((3, 3), np.float32))
    layers = "model.layers=[{type: conv2d, out_channels: 2, kernel_size: 3}, flatten, {type: linear, out_features: 3}]"
    (folder / "regression.yaml").write_text("model: {input: [1, 3, 3], layers: [flatten]}\nloss: mse\n")
    arguments = ("backward", "--config", "regression.yaml", "--set", layers, "--input", "x.npy", "--json")
    assert cli(*arguments, "--target", "2").json["subject"]["target"] == "linear1[2]"
    done = cli(*arguments, "--target", "3")
    assert done.code == 2
    assert done.err == "error: --target 3: expected the place of one number of the output, from 0 to 2\n"
