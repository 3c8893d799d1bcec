"""`cnncli visualize saliency` and the like: pictures, numbers and errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Cli

RUN = ("--run", "runs/first")
COMMANDS = {
    "saliency": (),
    "integrated-gradients": ("--steps", 5),
    "occlusion": ("--window", 4, "--stride", 2),
    "grad-cam": (),
    "guided": (),
    "lrp": (),
}
each = pytest.mark.parametrize(("command", "options"), COMMANDS.items(), ids=COMMANDS)


@each
def test_in_the_terminal(cli: Cli, trained: Path, command: str, options: tuple[object, ...]) -> None:
    done = cli("visualize", command, *RUN, "--input", "test:1", *options)
    assert done.code == 0
    assert "target logit of class" in done.out
    assert "predicted" in done.out
    assert "true" in done.out
    assert done.out.isascii()
    assert done.err == ""


@each
def test_as_files(cli: Cli, trained: Path, command: str, options: tuple[object, ...]) -> None:
    given = ("--input", "test:1", "--input", "test:2", *options)
    done = cli("visualize", command, *RUN, *given, "--out", "out", "--npy")
    assert done.code == 0
    (picture,) = (trained / "out" / command).glob("*.png")
    with Image.open(picture) as image:
        assert min(image.size) > 100
    arrays = sorted((trained / "out" / command).glob("*.npy"))
    assert len(arrays) == 2
    document = cli("visualize", command, *RUN, *given, "--json").json
    assert [each["input"] for each in document["inputs"]] == ["test:1", "test:2"]
    largest = [np.load(array).max() for array in arrays]
    assert [row["statistics"]["max"] for row in document["sheets"][0]["rows"]] == pytest.approx(largest)


@each
def test_sanity_is_a_table(cli: Cli, trained: Path, command: str, options: tuple[object, ...]) -> None:
    done = cli("visualize", command, *RUN, "--sanity", *options)
    assert done.code == 0
    lines = done.out[done.out.index("drawn anew, down to") :].splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["nothing", "classes", "conv"]
    assert "no --input is given: this is test:0" in done.err
    document = cli("visualize", command, *RUN, "--sanity", *options, "--json").json
    assert [step["node"] for step in document["sanity"]] == ["classes", "conv"]
    for step, line in zip(document["sanity"], lines[3:], strict=False):
        assert line.split()[1] == f"{float(step['correlations'][0]):.2f}"


def test_checks_in_json(cli: Cli, trained: Path) -> None:
    (found,) = cli("visualize", "saliency", *RUN, "--input", "test:1", "--json", "--dtype", "float64").json["inputs"]
    (check,) = found["checks"]
    assert check["name"] == "FullGrad"
    assert check["holds"] is True
    assert check["residual"] < 1e-12
    assert check["left"] == pytest.approx(found["value"])


def test_methods(cli: Cli, trained: Path) -> None:
    for method in ("gradient", "input-x-gradient"):
        assert method in cli("visualize", "saliency", *RUN, "--method", method).out
    done = cli("visualize", "saliency", *RUN, "--method", "smoothgrad", "--samples", 3, "--noise", 0.5, "--seed", 2)
    assert "mean over 3 noisy inputs, the noise's deviation 0.5 of the input's range (seed 2)" in done.out
    for method in ("grad-cam++", "hirescam"):
        assert f"{method}  at relu1  " in cli("visualize", "grad-cam", *RUN, "--method", method, "-l", "relu1").out
    assert "deconvnet  1x8x8" in cli("visualize", "guided", *RUN, "--method", "deconvnet").out
    assert "lrp-alpha-beta" in cli("visualize", "lrp", *RUN, "--rule", "alpha-beta", "--alpha", 1).out


def test_gates(cli: Cli, trained: Path) -> None:
    done = cli("visualize", "guided", *RUN, "--method", "gates", "--top", 2, "--out", "out")
    assert done.code == 0
    assert (trained / "out" / "guided" / "02_relu1__gates.png").exists()
    assert "gates are open" in cli("visualize", "guided", *RUN, "--method", "gates").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("saliency", "--samples", 3), "--samples and --noise are smoothgrad's; add --method smoothgrad"),
        (("saliency", "--target", "acros"), "--target acros: no such class; did you mean 'across'?"),
        (("saliency", "--method", "smoothgrad", "--samples", 0), "--samples 0: expected at least 1"),
        (("integrated-gradients", "--steps", 0), "--steps 0: expected 1 to 1,000"),
        (("occlusion", "--window", 3, "--stride", 4), "--stride 4: between windows of 3 there would be gaps"),
        (("grad-cam", "--layer", "classes"), "--layer classes: "),
        (("guided", "--top", 3), "--layer, --channels, --top and --all choose among the gates; add --method gates"),
        (("guided", "--method", "gates", "--sanity"), "--sanity compares attributions, and gates are none"),
        (("occlusion", "--window", 9), "--window 9: expected 1 to 8, the side of the input"),
        (("occlusion", "--stride", 2), "--stride 2: between windows of 1 there would be gaps; give --stride 1 at most"),
        (("lrp", "--rule", "alpha-beta", "--alpha", 0.5), "--alpha 0.5: expected 1 or more"),
        (("lrp", "--alpha", 5), "--alpha is the rule alpha-beta's; add --rule alpha-beta, or leave it out"),
        (
            ("lrp", "--rule", "z+", "--epsilon", 3),
            "--epsilon is the rule epsilon's; add --rule epsilon, or leave it out",
        ),
        (("lrp", "--npy"), "--npy writes the arrays beside the pictures: give --out DIR too"),
        (("lrp", "--scale", "pixel"), "--scale pixel: expected layer"),
    ],
)
def test_mistakes(cli: Cli, trained: Path, arguments: tuple[object, ...], message: str) -> None:
    done = cli("visualize", arguments[0], *RUN, *arguments[1:])
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert message in done.err
    assert done.out == ""


def test_weights_that_are_not_finite(cli: Cli, trained: Path) -> None:
    config = json.dumps(
        {
            "model": {
                "input": [1, 1, 2],
                "layers": ["flatten", {"type": "linear", "out_features": 2, "weight": [[1e38, 1e38], [0, 0]]}],
            }
        }
    )
    (trained / "big.yaml").write_text(config)
    np.save("x.npy", np.full((1, 1, 2), 1e3))
    done = cli("visualize", "saliency", "--config", "big.yaml", "--input", "x.npy")
    assert done.code == 1
    assert "NaN or infinity in what is explained of x.npy" in done.err


def test_random_weights_are_told(cli: Cli, folder: Path) -> None:
    done = cli("visualize", "saliency", "--config", "stripes.yaml")
    assert done.code == 0
    assert "the weights are random (seed 0), not trained" in done.err
