"""The views over many samples: patches, embedding, confusion, mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.render.text import percent
from tests.cli.conftest import Cli
from tests.cli.networks import NETWORKS, NUMBERS, error_of

RUN = ("--run", "runs/first")
VIEWS = ("patches", "embedding", "confusion", "mistakes")


def test_confusion_says_what_eval_says(cli: Cli, trained: Path) -> None:
    outcome = cli("visualize", "confusion", *RUN)
    accuracy = cli("eval", *RUN, "--json").json["accuracy"]
    assert (outcome.code, outcome.err) == (0, "")
    assert f"40 answers  accuracy {percent(accuracy)}\n" in outcome.out
    assert "0 across" in outcome.out
    view = cli("visualize", "confusion", *RUN, "--json").json
    assert view["accuracy"] == pytest.approx(accuracy)
    assert sum(map(sum, view["matrix"])) == view["counted"] == 40
    assert [each["name"] for each in view["classes"]] == ["across", "down"]
    assert set(view["classes"][0]) == {"class", "name", "true", "predicted", "right", "precision", "recall", "f1"}
    assert view["files"] == []


def test_mistakes_lead_on_to_forward(cli: Cli, trained: Path) -> None:
    view = cli("visualize", "mistakes", *RUN, "--json", "--top", "3").json
    assert len(view["mistakes"]) == 3
    assert view["loss"] == pytest.approx(cli("eval", *RUN, "--json").json["loss"])
    worst = view["mistakes"][0]
    assert "picture" not in worst
    subject = cli("forward", *RUN, "--input", worst["input"], "--json").json["subject"]
    assert (subject["true"], subject["predicted"]) == (worst["true"], worst["predicted"])
    shown = cli("visualize", "mistakes", *RUN, "--top", "3")
    assert shown.out.count(worst["input"]) == 2


def test_patches_name_the_layer_that_they_took(cli: Cli, trained: Path) -> None:
    outcome = cli("visualize", "patches", *RUN, "--count", "2")
    assert (outcome.code, outcome.err) == (0, "no --layer is given: this is max_pool2d1\n")
    assert "each value sees 4x4 pixels of the input" in outcome.out
    view = cli("visualize", "patches", *RUN, "--layer", "conv", "--channels", "2", "--split", "train", "--json").json
    ((channel,),) = ([*layer["channels"]] for layer in view["layers"])
    assert (channel["channel"], len(channel["patches"])) == (2, 8)
    assert set(channel["patches"][0]) == {"input", "value", "at", "box", "padded"}
    assert channel["patches"][0]["input"].startswith("train:")


def test_embedding_gives_coordinates(cli: Cli, trained: Path) -> None:
    outcome = cli("visualize", "embedding", *RUN)
    assert (outcome.code, outcome.err) == (0, "no --layer is given: this is flatten1\n")
    assert "1st component, " in outcome.out
    view = cli("visualize", "embedding", *RUN, "--layer", "conv", "--samples", "7", "--json").json
    assert (len(view["points"]), view["dimensions"], view["classes"]) == (7, 3 * 6 * 6, ["across", "down"])
    assert set(view["points"][0]) == {"input", "x", "y", "class"}


def test_pictures_and_arrays_are_written(cli: Cli, trained: Path) -> None:
    for view in VIEWS:
        outcome = cli("visualize", view, *RUN, "--out", "out")
        assert outcome.code == 0
        assert outcome.out.startswith("wrote out/")
    written = {path.relative_to(trained / "out").as_posix() for path in (trained / "out").rglob("*.*")}
    assert written == {
        "confusion/confusion.png",
        "embedding/flatten1.png",
        "mistakes/manifest.json",
        "mistakes/mistakes.png",
        "patches/03_max_pool2d1__patches.png",
        "patches/manifest.json",
    }
    image = Image.open(trained / "out" / "confusion" / "confusion.png")
    assert json.loads(image.text["classes"]) == ["across", "down"]
    cli("visualize", "embedding", *RUN, "--out", "out", "--npy", "--json")
    points = cli("visualize", "embedding", *RUN, "--json").json["points"]
    coordinates = np.load(trained / "out" / "embedding" / "flatten1.npy")
    np.testing.assert_array_equal(coordinates, [[point["x"], point["y"]] for point in points])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("confusion", "--split", "valid"), "--split"),
        (("mistakes", "--samples", "0"), "--samples"),
        (("embedding", "--npy"), "--npy writes the coordinates beside the picture: give --out DIR too"),
        (("embedding", "--layer", "cnov"), "--layer cnov: the network has no such layer; did you mean 'conv'?"),
        (("patches", "--layer", "conv", "--channels", "3"), "there is no channel 3; conv has 3, counted from 0"),
        (("patches", "--input", "test:0", "--split", "test"), "--input and --split were both given"),
        (("patches", "--input", "test:99"), "expected test:0 to test:39; there are 40 samples"),
    ],
)
def test_mistakes_of_the_user_are_told(cli: Cli, trained: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = cli("visualize", *arguments, *RUN)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.parametrize("view", VIEWS)
def test_an_untrained_network_and_a_tiny_split(cli: Cli, folder: Path, view: str) -> None:
    outcome = cli("visualize", view, "--config", "stripes.yaml", "--samples", "1")
    assert outcome.code == 0
    assert "the weights are random (seed 0), not trained" in outcome.err
    assert "1 of the 40 samples of test" in outcome.out


@pytest.mark.parametrize("view", VIEWS)
def test_a_folder_that_is_a_file(cli: Cli, trained: Path, view: str) -> None:
    outcome = cli("visualize", view, *RUN, "--out", "stripes.npz")
    assert (outcome.code, outcome.out) == (2, "")
    assert (
        error_of(outcome)
        == "error: --out stripes.npz: stripes.npz is a file; expected a folder, which need not be there yet"
    )


def write(folder: Path, network: str, x: np.ndarray, y: np.ndarray) -> None:
    """net.yaml with data of its own."""
    shape, layers = NETWORKS[network]
    np.savez(folder / "data.npz", x=x.astype(np.float32), y=y)
    data = "{source: npz, path: data.npz, validation: 0}"
    (folder / "net.yaml").write_text(f"data: {data}\nmodel: {{input: {list(shape)}, layers: {layers}}}\n")


@pytest.mark.parametrize("numbers", [*NUMBERS, "one class"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("view", VIEWS)
def test_whatever_the_samples_are_there_is_a_picture_or_a_reason(
    cli: Cli, folder: Path, view: str, network: str, numbers: str
) -> None:
    make = NUMBERS.get(numbers, NUMBERS["random"])
    labels = np.zeros(5, int) if numbers == "one class" else np.arange(5) % 3
    write(folder, network, make((5, *NETWORKS[network][0])), labels)
    for extra in ((), ("--out", "out"), ("--json",)):
        outcome = cli("visualize", view, "--config", "net.yaml", *extra)
        if view == "patches" and (network == "one pixel" or (network != "no rectifier" and numbers == "zero")):
            assert outcome.code == 1  # nothing excites its channels
            assert error_of(outcome).endswith(": 0 for all of these 5 samples, in every channel")
        else:
            assert (outcome.code, bool(outcome.out.strip())) == (0, True)


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("view", VIEWS)
def test_what_is_not_finite_is_told(cli: Cli, folder: Path, view: str, number: float) -> None:
    x = NUMBERS["random"]((5, 1, 8, 8))
    x[2] = number
    write(folder, "image", x, np.arange(5) % 3)
    outcome = cli("visualize", view, "--config", "net.yaml")
    assert outcome.code == 1
    assert re.search(r"NaN|infinit|not finite", error_of(outcome))
    assert outcome.out.strip()
