"""The command that shows the arithmetic of one number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cnncli
from tests.cli.conftest import Cli

ARGUMENTS = ("trace", "--config", "stripes.yaml", "--input", "train:3")


def test_forward(cli: Cli, folder: Path) -> None:
    outcome = cli(*ARGUMENTS, "--layer", "conv", "--channel", "1", "--at", "2,3")
    assert outcome.code == 0
    assert outcome.err == "no --checkpoint is given: the weights are random (seed 0), not trained\n"
    assert outcome.out.startswith("trace conv[1,2,3]   conv2d 3x6x6   input train:3   true ")
    assert "reads input: channel 0, rows 2 to 4, columns 3 to 5" in outcome.out
    assert outcome.out.splitlines()[-1].startswith("  the engine has ")
    found = cli(*ARGUMENTS, "--layer", "conv", "--channel", "1", "--at", "2,3", "--json").json
    assert found["number"]["index"] == [1, 2, 3]
    assert abs(found["difference"]) < 1e-12
    engine = cnncli.forward(config="stripes.yaml", input="train:3", dtype="float64").recording.activations["conv"]
    assert found["engine"] == engine[0, 1, 2, 3]


@pytest.mark.parametrize("layer", ["conv", "relu1", "max_pool2d1", "flatten1", "classes", "loss"])
def test_every_layer(cli: Cli, folder: Path, layer: str) -> None:
    outcome = cli(*ARGUMENTS, "--layer", layer)
    assert outcome.code == 0
    assert "the engine has" in outcome.out


@pytest.mark.parametrize("layer", ["input", "conv", "relu1", "max_pool2d1", "flatten1", "classes"])
def test_every_gradient(cli: Cli, folder: Path, layer: str) -> None:
    found = cli(*ARGUMENTS, "--layer", layer, "--backward", "--json").json
    gradients = cnncli.backward(config="stripes.yaml", input="train:3", dtype="float64").recording.gradients
    index = (0, *found["number"]["index"])
    assert found["value"] == pytest.approx(gradients[layer][index], rel=1e-12)
    assert abs(gradients[layer][index]) == np.abs(gradients[layer]).max()


def test_parameters(cli: Cli, folder: Path) -> None:
    two = ("trace", "--config", "stripes.yaml", "--input", "train:0", "--input", "train:1", "--layer", "conv", "--json")
    gradients = cnncli.backward(config="stripes.yaml", input=["train:0", "train:1"], dtype="float64").recording
    found = gradients.parameter_gradients["conv"]
    assert cli(*two, "--weight", "1,0,2,0").json["value"] == pytest.approx(found["weight"][1, 0, 2, 0], rel=1e-12)
    assert cli(*two, "--bias", "largest").json["value"] == pytest.approx(
        found["bias"][np.abs(found["bias"]).argmax()], rel=1e-12
    )
    drawn = cli(*two[:-1], "--weight", "largest").out
    assert "over all 2 inputs" in drawn
    assert "of sample 1" in drawn


def test_another_objective(cli: Cli, folder: Path) -> None:
    outcome = cli(*ARGUMENTS, "--layer", "classes", "--backward", "--target", "down")
    assert "target logit of class down" in outcome.out.replace("\n", " ")
    found = cli(*ARGUMENTS, "--layer", "input", "--backward", "--target", "down", "--json").json
    assert found["subject"]["target"] == "logit of class down"
    assert cli(*ARGUMENTS, "--layer", "loss", "--label", "down").code == 0


def test_all_terms_and_more_digits(cli: Cli, folder: Path) -> None:
    some = cli(*ARGUMENTS, "--layer", "classes", "--backward", "--target", "0")
    every = cli(*ARGUMENTS, "--layer", "conv", "--bias", "0", "--all")
    assert "smaller" not in every.out
    assert len(every.out.splitlines()) > len(some.out.splitlines())


def test_where_a_weight_changes_nothing_is_counted(cli: Cli, folder: Path) -> None:
    x = np.zeros((1, 8, 8))
    x[0, 2, 3] = 1  # one of the 36 places where the weight is used
    np.save("dot.npy", x)
    arguments = ("trace", "--config", "stripes.yaml", "--input", "dot.npy", "--label", "down", "--layer", "conv")
    done = cli(*arguments, "--weight", "0,0,1,1")
    assert "and 35 more places where the slope is 0" in done.out
    assert "sum of 1 term " in done.out
    assert cli(*arguments, "--weight", "0,0,1,1", "--json").json["arithmetic"]["flows"][0]["still"] == 35
    assert "where the slope is 0" not in cli(*arguments, "--bias", "0").out


def test_random_targets_are_not_told_as_the_truth(cli: Cli, folder: Path) -> None:
    (folder / "bare.yaml").write_text("model: {input: [2], layers: [{type: linear, out_features: 3}]}")
    subject = cli("trace", "--config", "bare.yaml", "--layer", "loss", "--json").json["subject"]
    assert "true" not in subject or subject["true"] is None
    assert subject["predicted"] is not None
    assert subject["target"] in [f"cross_entropy loss of label {label}, which is random" for label in range(3)]
    subject = cli("backward", "--config", "bare.yaml", "--label", "1", "--json").json["subject"]
    assert (subject["true"], subject["target"]) == ("1", "cross_entropy loss of label 1")
    subject = cli("visualize", "step", "--config", "bare.yaml", "--json").json["subject"]
    assert (subject["true"], subject["target"][:36]) == (None, "cross_entropy loss of random targets")


def test_the_receptive_field(cli: Cli, folder: Path) -> None:
    arguments = (*ARGUMENTS, "--layer", "max_pool2d1", "--at", "1,1", "--receptive-field")
    outcome = cli(*arguments)
    assert outcome.code == 0
    assert "receptive field: size 4, stride 2, padding 0" in outcome.out
    assert "sees rows 2 to 5, columns 2 to 5" in outcome.out
    found = cli(*arguments, "--json").json
    assert (found["field"]["box"], found["field"]["size"], found["files"]) == ([2, 2, 6, 6], [4, 4], [])
    written = cli(*arguments, "--out", "pictures")
    files = [Path(line.removeprefix("wrote ")) for line in written.out.splitlines()]
    assert files[0] == Path("pictures/trace/03_max_pool2d1__receptive-field.png")
    assert all(file.is_file() for file in files)


def test_from_python(folder: Path) -> None:
    session = cnncli.load("stripes.yaml")
    one = cnncli.trace(session, layer="conv", channel=1, at=(2, 3), input="train:3")
    assert cnncli.trace(session, layer="conv", channel=1, at="2,3", input="train:3").value == one.value == one.engine
    weight = cnncli.trace(session, layer="conv", weight=(0, 0, 1, 1), input="train:3")
    assert weight.number.name == "dL/d conv.weight[0,0,1,1]"


def test_what_is_not_finite_is_shown_and_exit_code_1(cli: Cli, folder: Path) -> None:
    np.save("bad.npy", np.full((1, 8, 8), np.nan))
    outcome = cli("trace", "--config", "stripes.yaml", "--input", "bad.npy", "--layer", "conv")
    assert outcome.code == 1
    assert "not finite" in outcome.out
    assert outcome.err.splitlines()[-1] == "error: NaN or infinity in conv[0,0,0]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which layer? give --layer NAME"),
        (["--layer", "cnv"], "--layer cnv: the network has no such layer; did you mean 'conv'?"),
        (["--layer", "conv", "--channel", "3"], "--channel 3: conv has the channels 0 to 2"),
        (["--layer", "conv", "--at", "6,0"], "--at 6,0: conv has the positions 0,0 to 5,5"),
        (["--layer", "conv", "--at", "x"], "--at x: expected whole numbers with commas between them, as 4,5"),
        (["--layer", "relu1", "--weight", "0"], "--weight: relu1 has no weight; conv or classes has one"),
        (["--layer", "conv", "--sample", "1"], "--sample 1: expected one of 1 input, numbered from 0"),
        (["--layer", "conv", "--target", "down"], "--target and --upstream say what is differentiated; add --backward"),
        (["--layer", "conv", "--label", "down"], "--label says whose loss is differentiated; add --backward, --weight"),
        (
            ["--layer", "conv", "--backward", "--label", "down", "--target", "across"],
            "--label and --target were both given; differentiate either the loss of a label, or a logit, or a given",
        ),
        (["--layer", "loss", "--target", "down"], "--layer loss is about the loss; leave out --target and --upstream"),
        (
            ["--layer", "conv", "--out", "p"],
            "--out, --npy, --scale and --graphics draw what a number sees: give --receptive-field",
        ),
    ],
)
def test_what_cannot_be_traced(cli: Cli, folder: Path, arguments: list[str], message: str) -> None:
    outcome = cli(*ARGUMENTS, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: {message}")
    assert len(outcome.err.splitlines()) == 1
