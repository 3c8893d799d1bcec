"""Watching a network learn, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Cli


@pytest.fixture
def watched(folder: Path, cli: Cli) -> Path:
    """The folder, with a run in runs/first that was watched."""
    done = cli("train", "--config", "stripes.yaml", "--out", "runs/first", "--set", "train.watch={every: 4}")
    assert done.code == 0
    assert "watching test:0: " in done.err
    return folder


def test_curves_show_the_health_of_the_layers(trained: Path, cli: Cli) -> None:
    shown = cli("visualize", "curves", "--run", "runs/first")
    assert shown.code == 0
    assert "update / weight" in shown.out
    assert "is about healthy" in shown.out
    view = cli("visualize", "curves", "--run", "runs/first", "--json").json
    charts = {chart["title"]: chart for chart in view["charts"]}
    assert list(charts)[:2] == ["loss", "accuracy"]
    assert [series["name"] for series in charts["update / weight"]["series"]] == ["conv", "classes"]
    assert len(charts["loss"]["series"][0]["x"]) == 2
    assert cli("visualize", "curves", "--run", "runs/first", "--out", "out").out == "wrote out/curves.png\n"
    with Image.open("out/curves.png") as picture:
        assert picture.size[0] > 900


def test_curves_of_nothing(folder: Path, cli: Cli) -> None:
    assert cli("visualize", "curves").code == 2
    assert "which run? give --run DIR" in cli("visualize", "curves").err
    assert "no such run directory" in cli("visualize", "curves", "--run", "nowhere").err


def test_histograms(trained: Path, cli: Cli) -> None:
    shown = cli("visualize", "histograms", "--run", "runs/first", "--samples", "20")
    assert shown.code == 0
    assert "activations: 20 of the 40 samples of test" in shown.out
    assert "gradients: cross_entropy loss, mean over 20 of the 40 samples of test" in shown.out
    view = cli("visualize", "histograms", "--run", "runs/first", "--of", "weights", "--layer", "conv", "--json").json
    assert [each["what"] for each in view["histograms"]] == ["weight", "bias"]
    assert sum(view["histograms"][0]["counts"]) == view["histograms"][0]["statistics"]["size"]
    files = cli("visualize", "histograms", "--run", "runs/first", "--log", "--out", "out").out.splitlines()
    assert files == [f"wrote out/histograms/{name}.png" for name in ("weights", "activations", "gradients")]


def test_histograms_of_an_input_without_label_leave_the_gradients_out(trained: Path, cli: Cli) -> None:
    np.save("x.npy", np.zeros((1, 8, 8), np.float32))
    arguments = ("visualize", "histograms", "--run", "runs/first", "--input", "x.npy")
    shown = cli(*arguments)
    assert shown.code == 0
    assert "no gradients: the inputs have no label; give --label or --target" in shown.out
    assert "gradients: logit of class" in cli(*arguments, "--target", "1").out
    refused = cli(*arguments, "--of", "gradients")
    assert refused.code == 2
    assert "x.npy has no label" in refused.err
    assert "--of shapes: expected weights, activations or gradients" in cli(*arguments, "--of", "shapes").err


def test_histograms_of_what_is_not_finite_fail(trained: Path, cli: Cli) -> None:
    np.save("x.npy", np.full((1, 8, 8), np.nan, np.float32))
    done = cli("visualize", "histograms", "--run", "runs/first", "--input", "x.npy", "--of", "activations")
    assert done.code == 1
    assert "NaN or infinity in input (activations), then in conv (activations)" in done.err
    assert "64 of 64 NaN or infinite" in done.out


def test_evolution_in_the_terminal(watched: Path, cli: Cli) -> None:
    shown = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--top", "1", "--steps", "3")
    assert shown.code == 0
    steps = sorted(int(path.stem) for path in Path("runs/first/watch").glob("*.npz"))
    assert f"step {steps[0]}" in shown.out
    assert f"step {steps[-1]}" in shown.out
    assert f"3 of {len(steps)} frames" in shown.out
    assert "activation" in shown.out
    assert "gradient" not in shown.out
    assert (
        "gradient of the cross_entropy loss"
        in cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--of", "gradients").out
    )


def test_evolution_as_files(watched: Path, cli: Cli) -> None:
    done = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--out", "out", "--format", "both")
    assert done.code == 0
    stems = [f"01_conv__{what}" for what in ("activation_test0", "gradient_test0", "weight")]
    names = {f"{stem}.{kind}" for stem in stems for kind in ("png", "gif", "webp")}
    assert {path.name for path in Path("out/evolution").iterdir()} == {*names, "manifest.json"}
    assert done.out.splitlines()[-1] == "wrote out/evolution/manifest.json"
    assert len(json.loads(Path("out/evolution/manifest.json").read_text())["files"]) == 3
    frames = len(list(Path("runs/first/watch").glob("*.npz")))
    with Image.open("out/evolution/01_conv__weight.gif") as picture:
        assert picture.n_frames == frames  # type: ignore[attr-defined]
    view = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--json").json
    titles = [row["title"] for row in view["sheets"][0]["rows"]]
    assert sorted(titles) == [["c00"], ["c01"]]


def test_evolution_outlives_its_data(watched: Path, cli: Cli) -> None:
    (watched / "stripes.npz").unlink()
    shown = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv")
    assert shown.code == 0
    assert "test:0" in shown.out


def test_evolution_says_what_it_lacks(trained: Path, cli: Cli) -> None:
    done = cli("visualize", "evolution", "--run", "runs/first")
    assert done.code == 2
    assert "nothing was watched in this training; train with --set 'train.watch={}'" in done.err
    assert "which run? give --run DIR" in cli("visualize", "evolution").err
    assert (
        "--of maps: expected activations, filters or gradients"
        in cli("visualize", "evolution", "--run", "runs/first", "--of", "maps").err
    )


def test_evolution_of_what_was_not_kept(watched: Path, cli: Cli) -> None:
    done = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--channels", "3999")
    assert done.code == 2
    assert "nothing of this was kept in the training; what was kept is of conv, " in done.err
    assert "did you mean 'conv'?" in cli("visualize", "evolution", "--run", "runs/first", "--layer", "convv").err
