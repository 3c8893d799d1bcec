"""Watching a network learn, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import NETWORK, Cli


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
    assert cli("visualize", "curves", "--run", "runs/first", "--out", "out").out == "wrote out/curves/curves.png\n"
    with Image.open("out/curves/curves.png") as picture:
        assert picture.size[0] > 900


def test_curves_of_nothing(folder: Path, cli: Cli) -> None:
    assert cli("visualize", "curves").code == 2
    assert "which run? give --run DIR" in cli("visualize", "curves").err
    assert "no such run directory" in cli("visualize", "curves", "--run", "nowhere").err


def test_curves_of_files_that_were_cut_or_are_gone(trained: Path, cli: Cli) -> None:
    run = trained / "runs/first"
    for table in (run / "metrics.csv", run / "health.csv"):
        table.write_bytes(table.read_bytes()[:-5])
    shown = cli("visualize", "curves", "--run", "runs/first")
    assert shown.code == 0
    assert "metrics.csv: the last line, 3, is cut and left out" in shown.out
    assert "health.csv: the last line, 11, is cut and left out" in shown.out
    for remove in (lambda: (run / "health.csv").write_text(""), (run / "health.csv").unlink):
        remove()
        shown = cli("visualize", "curves", "--run", "runs/first")
        assert shown.code == 0
        assert "health.csv is missing or empty: there are no charts of update / weight and of dead units" in shown.out
    header = (run / "metrics.csv").read_text().splitlines()[0]
    for content, message in (
        (header + "\n", "runs/first: no epoch has ended yet, so there are no curves to draw"),
        (
            header + "\n1,",
            "runs/first/metrics.csv:2: the line is cut, and there is no other; restore the file, or train",
        ),
        ("", "runs/first/metrics.csv:1: is empty; expected a line of column names; restore the file, or train again"),
    ):
        (run / "metrics.csv").write_text(content)
        refused = cli("visualize", "curves", "--run", "runs/first")
        assert refused.code == 2
        assert refused.err.startswith(f"error: {message}")


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
    assert "NaN or infinity in input (activations), and in 4 more" in done.err
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


def test_filters_are_shown_without_an_input(watched: Path, cli: Cli) -> None:
    assert "true " in cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv").out
    shown = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", "--of", "filters")
    assert shown.code == 0
    assert "test:0" not in shown.out
    assert "true " not in shown.out


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--out", "out"), ("--of", "filters", "--steps", "2")])
def test_evolution_of_a_frame_that_is_not_finite_is_drawn_and_fails(
    watched: Path, cli: Cli, arguments: tuple[str, ...]
) -> None:
    path = sorted(Path("runs/first/watch").glob("*.npz"))[1]
    with np.load(path) as arrays:
        spoilt = {key: np.full_like(array, np.nan) for key, array in arrays.items()}
    np.savez(path, **spoilt)
    done = cli("visualize", "evolution", "--run", "runs/first", "--layer", "conv", *arguments)
    assert done.code == 1
    assert done.out
    assert "error: NaN or infinity in conv (" in done.err


@pytest.mark.parametrize("place", [0, 1, -1])
def test_evolution_names_the_frame_that_is_not_of_this_training(watched: Path, cli: Cli, place: int) -> None:
    path = sorted(Path("runs/first/watch").glob("*.npz"))[place]
    np.savez(path, **{"activation/other": np.ones((1, 2))})
    done = cli("visualize", "evolution", "--run", "runs/first")
    assert done.code == 2
    assert done.err == (
        f"error: {path}: is of another training than config.yaml: has no activation/conv; delete it, or train again\n"
    )
    path.write_text("garbage")
    done = cli("visualize", "evolution", "--run", "runs/first")
    assert done.code == 2
    assert done.err == f"error: {path}: is damaged, or no .npz of arrays; delete it, or train again\n"
    path.unlink()
    assert cli("visualize", "evolution", "--run", "runs/first").code == 0


def test_evolution_of_frames_that_were_put_there(watched: Path, cli: Cli) -> None:
    config = Path("runs/first/config.yaml")
    config.write_text(NETWORK)
    done = cli("visualize", "evolution", "--run", "runs/first")
    assert done.code == 2
    assert "config.yaml: has no train.watch, so that the frames in runs/first/watch are of another training" in done.err


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
