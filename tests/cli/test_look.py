"""Looking inside: forward, backward, visualize."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Cli, Outcome

RANDOM = "no --checkpoint is given: the weights are random (seed 0), not trained\n"
GRID = "1 2 3\n4 5 6\n7 8 9\n"
EDGE = """\
model:
  input: [1, 3, 3]
  layers:
    - type: conv2d
      name: edge
      out_channels: 1
      kernel_size: 3
      padding: 1
      weight: [[1, 0, -1], [1, 0, -1], [1, 0, -1]]
      bias: false
loss: mse
"""


@pytest.fixture
def edge(folder: Path) -> Path:
    (folder / "grid.txt").write_text(GRID)
    (folder / "edge.yaml").write_text(EDGE)
    return folder


def test_forward_prints_every_number_of_the_worked_example(cli: Cli, edge: Path) -> None:
    outcome = cli("forward", "--config", "edge.yaml", "--input", "grid.txt", "--values")
    assert (outcome.code, outcome.err) == (0, "")
    numbers = [line.split() for line in outcome.out.splitlines()]
    start = numbers.index(["edge", "1x3x3"])
    assert numbers[start + 2 : start + 5] == [["-7", "-4", "7"], ["-15", "-6", "15"], ["-13", "-4", "13"]]


def test_backward_from_a_given_gradient(cli: Cli, edge: Path) -> None:
    arguments = ("--config", "edge.yaml", "--input", "grid.txt", "--upstream", "grid.txt", "--values")
    rows = cli("backward", *arguments, "--json").json
    (weight,) = rows["parameters"]
    assert weight["values"] == [[[[94, 154, 106], [186, 285, 186], [106, 154, 94]]]]
    assert rows["layers"][0]["values"] == [[[7, 4, -7], [15, 6, -15], [13, 4, -13]]]
    assert "given upstream grid.txt" in cli("backward", *arguments).out


def test_forward_as_json(cli: Cli, trained: Path) -> None:
    outcome = cli("forward", "--run", "runs/first", "--input", "test:3", "--json", "--top", "1")
    view = outcome.json
    assert (outcome.err, view["subject"]["input"]) == ("", "test:3")
    assert [row["name"] for row in view["layers"]] == ["input", "conv", "relu1", "max_pool2d1", "flatten1", "classes"]
    assert set(view["layers"][1]["statistics"]) >= {"min", "mean", "max", "std", "zeros", "nonfinite"}
    assert "values" not in view["layers"][1]
    assert [set(each) for each in view["top"]] == [{"class", "name", "probability"}]
    with_values = cli(
        "forward", "--run", "runs/first", "--input", "test:3", "--json", "--values", "--layer", "conv"
    ).json
    assert [row["name"] for row in with_values["layers"]] == ["conv"]
    assert np.shape(with_values["layers"][0]["values"]) == (3, 6, 6)


def test_save_holds_every_array_batch_first(cli: Cli, trained: Path) -> None:
    inputs = ("--run", "runs/first", "-i", "test:0", "-i", "test:1", "--dtype", "float64")
    assert cli("forward", *inputs, "--save", "f.npz").code == 0
    forward = np.load(trained / "f.npz")
    activations = {f"activation/{name}" for name in ("input", "conv", "relu1", "max_pool2d1", "flatten1", "classes")}
    parameters = {f"parameter/{name}" for name in ("conv.weight", "conv.bias", "classes.weight", "classes.bias")}
    assert set(forward) == activations | parameters
    assert forward["activation/conv"].shape == (2, 3, 6, 6)
    assert forward["activation/conv"].dtype == np.float64
    assert cli("backward", *inputs, "--save", "b.npz").code == 0
    backward = np.load(trained / "b.npz")
    gradients = {key.replace("activation/", "gradient/") for key in activations}
    assert set(backward) == set(forward) | gradients | {f"parameter_gradient/{key[10:]}" for key in parameters}
    assert backward["gradient/input"].shape == (2, 1, 8, 8)
    np.testing.assert_array_equal(backward["activation/classes"], forward["activation/classes"])
    # The loss is a mean over the two samples, so the bias gradients of cross entropy add up to zero.
    np.testing.assert_allclose(backward["parameter_gradient/classes.bias"].sum(), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("save", "code", "message"),
    [
        ("f.npy", 2, "error: --save f.npy: the file is a NumPy archive; call it f.npz"),
        ("stripes.npz/f.npz", 1, "error: "),
    ],
)
def test_what_cannot_be_saved_is_said(cli: Cli, folder: Path, save: str, code: int, message: str) -> None:
    before = {path.name for path in folder.iterdir()}
    outcome = cli("forward", "--config", "stripes.yaml", "--save", save)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err
    assert {path.name for path in folder.iterdir()} == before


def test_without_an_input_something_stands_in_and_is_named(cli: Cli, edge: Path) -> None:
    assert cli("forward", "--config", "stripes.yaml").err == f"{RANDOM}no --input is given: this is test:0\n"
    outcome = cli("forward", "--config", "edge.yaml")
    assert (outcome.code, outcome.err) == (0, "no --input is given: this is random numbers (seed 0)\n")
    assert cli("backward", "--config", "edge.yaml").code == 0


@pytest.mark.parametrize("command", [["forward"], ["backward"], ["visualize", "gradients"]], ids=" ".join)
def test_without_an_input_and_without_the_data_both_ways_out_are_told(
    cli: Cli, folder: Path, command: list[str]
) -> None:
    (folder / "stripes.npz").unlink()
    outcome = cli(*command, "--config", "stripes.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    missing, other = outcome.err.splitlines()
    assert missing.startswith(f"error: {folder}/stripes.npz: no such file or folder; correct data.path, as by --set ")
    assert other == "  or give an --input: without one, the first sample of the data is taken"


def test_the_loss_needs_a_label(cli: Cli, trained: Path) -> None:
    np.save(trained / "one.npy", np.zeros((8, 8), np.float32))
    arguments = ("backward", "--run", "runs/first", "--input", "one.npy")
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: the loss needs to know what is right, and one.npy has no label; give --label")
    by_name, by_number = (cli(*arguments, "--label", label, "--json").json for label in ("Down", "1"))
    assert by_name == by_number
    assert by_name["subject"]["target"] == "cross_entropy loss of label down"
    assert by_name["subject"]["true"] == "down"
    logit = cli(*arguments, "--target", "across", "--json").json
    assert logit["subject"]["target"] == "logit of class across"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "dwn"], "error: --label dwn: no such class; did you mean 'down'?"),
        (["--target", "2"], "error: --target 2: no such class; the network has the classes 0 to 1: across, down"),
        (["--label", "0", "--label", "1"], "error: --label: 2 labels for 1 inputs; give one for each input"),
        (["--target", "0", "--upstream", "u.npy"], "error: --target and --upstream were both given"),
        (["--layer", "con"], "error: --layer con: the network has no such layer; did you mean 'conv'?"),
        (["--upstream", "missing.npy"], "error: missing.npy: no such file"),
        (["--input", "test:40"], "error: test:40: expected test:0 to test:39; there are 40 samples"),
    ],
)
def test_what_cannot_be_differentiated(cli: Cli, folder: Path, arguments: list[str], message: str) -> None:
    outcome = cli("backward", "--config", "stripes.yaml", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(message)


@pytest.mark.parametrize(
    "command",
    ["forward", "backward", "visualize feature-maps", "visualize filters", "visualize gradients", "eval", "predict"],
)
def test_random_weights_are_told(cli: Cli, trained: Path, command: str) -> None:
    given = [] if command in ("visualize filters", "eval") else ["--input", "test:0"]
    arguments = (*command.split(), *given, "--config", "stripes.yaml", "--json")
    outcome = cli(*arguments)
    assert (outcome.code, outcome.err, bool(outcome.json)) == (0, RANDOM, True)
    assert cli(*arguments, "--checkpoint", "runs/first/best.safetensors").err == ""
    assert cli(*arguments, "--set", "model.layers=[flatten]", "--set", "loss=mse").err.count(RANDOM) == 0


def test_a_label_does_not_change_what_is_true(cli: Cli, trained: Path) -> None:
    arguments = ("backward", "--run", "runs/first", "--input", "test:0", "--json")
    true = cli(*arguments).json["subject"]["true"]
    (other,) = {"across", "down"} - {true}
    subject = cli(*arguments, "--label", other).json["subject"]
    assert (subject["true"], subject["target"]) == (true, f"cross_entropy loss of label {other}")


def test_train_mode_uses_the_batch_s_own_statistics(cli: Cli, folder: Path) -> None:
    layers = "model.layers=[flatten, batch_norm, {type: linear, name: classes, out_features: 2}]"
    arguments = ("forward", "--config", "stripes.yaml", "--set", layers, "-i", "test:0", "-i", "test:1", "--json")
    plain, training = cli(*arguments).json, cli(*arguments, "--train-mode").json
    assert plain["layers"][2]["statistics"]["max"] != training["layers"][2]["statistics"]["max"]
    assert abs(training["layers"][2]["statistics"]["mean"]) < 1e-6


def test_numbers_that_are_not_finite_are_shown_and_are_a_failure(cli: Cli, edge: Path) -> None:
    (edge / "grid.txt").write_text("1 2 3\n4 inf 6\n7 8 9\n")
    outcome = cli("forward", "--config", "edge.yaml", "--input", "grid.txt")
    assert outcome.code == 1
    assert "edge" in outcome.out
    assert outcome.err == "error: NaN or infinity in input, and in 1 more\n"
    outcome = cli("forward", "--config", "edge.yaml", "--input", "grid.txt", "--json", "--values")
    assert outcome.code == 1
    assert outcome.json["layers"][0]["values"][0][1] == [4.0, "Infinity", 6.0]
    for command in (["backward"], ["visualize", "feature-maps"], ["visualize", "gradients"]):
        assert cli(*command, "--config", "edge.yaml", "--input", "grid.txt", "--label", "grid.txt").code in (1, 2)


def test_out_writes_pictures_beside_the_table(cli: Cli, trained: Path) -> None:
    outcome = cli("forward", "--run", "runs/first", "--input", "test:0", "--out", "pictures")
    assert outcome.code == 0
    assert "conv" in outcome.out
    assert "wrote 5 pictures into pictures/feature-maps" in outcome.err
    assert len(list((trained / "pictures/feature-maps").glob("*.png"))) == 5


@pytest.mark.parametrize("what", ["feature-maps", "filters", "gradients"])
def test_visualize(cli: Cli, trained: Path, what: str) -> None:
    given = [] if what == "filters" else ["--input", "test:0"]
    shown = cli("visualize", what, "--run", "runs/first", *given, "--layer", "conv")
    assert (shown.code, shown.err) == (0, "")
    assert "conv2d" in shown.out
    view = cli("visualize", what, "--run", "runs/first", *given, "--json").json
    assert (view["view"], view["files"]) == (what, [])
    written = cli("visualize", what, "--run", "runs/first", *given, "--out", "pictures", "--npy")
    files = [Path(line.removeprefix("wrote ")) for line in written.out.splitlines()]
    assert files[-1] == Path("pictures") / what / "manifest.json"
    assert all(file.is_file() for file in files)
    assert {file.suffix for file in files} == {".png", ".npy", ".json"}


def test_visualize_picks_channels(cli: Cli, trained: Path) -> None:
    arguments = ("visualize", "feature-maps", "--run", "runs/first", "-i", "test:0", "-l", "conv", "--json")
    assert drawn_channels(cli(*arguments, "--channels", "2,0")) == [2, 0]
    assert len(drawn_channels(cli(*arguments, "--top", "1"))) == 1


def drawn_channels(outcome: Outcome) -> list[int]:
    ((row,),) = (sheet["rows"] for sheet in outcome.json["sheets"])
    return [tile["channel"] for tile in row["tiles"]]


def test_visualize_draws_few_channels_in_the_terminal_more_in_files_and_all_if_told(cli: Cli, folder: Path) -> None:
    wide = ("visualize", "filters", "--config", "stripes.yaml", "--set", "model.layers.conv.out_channels=70")
    arguments = (*wide, "--layer", "conv", "--json")
    for options, count in (([], 12), (["--out", "p"], 64), (["--out", "p", "--top", "9"], 9), (["--all"], 70)):
        channels = drawn_channels(cli(*arguments, *options))
        assert len(channels) == count
    assert channels == list(range(70))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["feature-maps", "--scale", "log"], "error: --scale log: expected layer, map, net, fixed:LO,HI"),
        (["feature-maps", "--layer", "cnv"], "error: --layer cnv: the network has no such layer; did you mean 'conv'?"),
        (
            ["feature-maps", "--channels", "99"],
            "error: --channels: there is no channel 99; conv has 3, the most",
        ),
        (["feature-maps", "--npy"], "error: --npy writes the arrays beside the pictures: give --out DIR too"),
        (["filters", "--layer", "relu1"], "error: there is nothing in relu1 that 'filters' could draw"),
        (["filters", "--top", "3", "--all"], "error: --channels, --top and --all each say which channels; give one"),
    ],
)
def test_what_cannot_be_drawn(cli: Cli, folder: Path, arguments: list[str], message: str) -> None:
    outcome = cli("visualize", *arguments, "--config", "stripes.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(message)


def test_curves(cli: Cli, trained: Path) -> None:
    outcome = cli("visualize", "curves", "--run", "runs/first")
    assert outcome.code == 0
    assert "loss" in outcome.out
    charts = cli("visualize", "curves", "--run", "runs/first", "--json").json["charts"]
    assert {chart["title"] for chart in charts} >= {"loss", "accuracy"}
    assert cli("visualize", "curves", "--run", "runs/first", "--out", "p").out == "wrote p/curves/curves.png\n"
    assert (trained / "p/curves/curves.png").read_bytes().startswith(b"\x89PNG")
    assert cli("visualize", "curves").err == "error: which run? give --run DIR\n"
