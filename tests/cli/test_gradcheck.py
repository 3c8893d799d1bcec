"""The proof that the gradients are right, and its exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.api import gradcheck as api
from cnncli.inspection.gradcheck import Verdict
from cnncli.layers import LAYERS
from tests.cli.conftest import Cli


def test_right_gradients_pass(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml")
    assert (outcome.code, outcome.err) == (0, "no --input is given: this is train:0, train:1, train:2\n")
    assert "conv.weight" in outcome.out
    report = cli("gradcheck", "--config", "stripes.yaml", "--json", "--samples", "2").json
    assert (report["verdict"], report["samples"], report["inputs"]) == ("PASS", 2, ["train:0", "train:1"])
    assert set(report["tensors"][0]) >= {"node", "tensor", "verdict", "relative_error", "hint"}
    assert {"conv", "relu1", "classes"} <= {tensor["node"] for tensor in report["tensors"]}
    assert all(tensor["relative_error"] < 1e-6 for tensor in report["tensors"])


def test_one_layer_on_given_input(cli: Cli, trained: Path) -> None:
    np.save(trained / "two.npy", np.random.default_rng(0).random((2, 1, 8, 8)))
    arguments = ("gradcheck", "--run", "runs/first", "--input", "two.npy", "--layer", "conv", "--json")
    outcome = cli(*arguments)
    assert outcome.err == "no --label is given: the targets are random, which proves as much\n"
    assert outcome.json["random_targets"] is True
    outcome = cli(*arguments, "--label", "down")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json["random_targets"] is False
    assert {tensor["node"] for tensor in outcome.json["tensors"]} == {"conv"}


REGRESSION = """\
model: {input: [3], layers: [{type: linear, out_features: 2}]}
loss: mse
"""


def test_regression_needs_no_targets(cli: Cli, folder: Path) -> None:
    (folder / "regression.yaml").write_text(REGRESSION)
    np.save(folder / "given.npy", np.random.default_rng(0).random((2, 3)))
    for options in ((), ("--self-test",)):
        outcome = cli("gradcheck", "--config", "regression.yaml", "--input", "given.npy", *options)
        assert (outcome.code, outcome.err) == (0, "no --label is given: the targets are random, which proves as much\n")


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """ReLU's gradient is a thousandth too large."""
    relu = LAYERS["relu"]
    right = relu.backward

    def backward(self: Any, *arguments: Any) -> Any:
        (dx,), gradients = right(self, *arguments)
        return (dx * 1.001,), gradients

    monkeypatch.setattr(relu, "backward", backward)


@pytest.mark.usefixtures("wrong")
def test_a_wrong_gradient_fails_and_is_named(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--json")
    assert outcome.code == 1
    failed = {(row["node"], row["level"]): row for row in outcome.json["tensors"] if row["verdict"] == "FAIL"}
    assert failed["relu1", "layer"]["hint"] == "1.001 times the true gradient"
    assert failed["relu1", "layer"]["analytic"] / failed["relu1", "layer"]["numeric"] == pytest.approx(1.001)
    assert ("classes", "layer") not in failed
    (found,) = outcome.json["maps"]
    assert (found["node"], found["tensor"], found["count"]) == ("relu1", "input", 3 * 3 * 6 * 6)
    assert 0 < found["differing"] <= found["count"]
    assert found["largest"] == pytest.approx(0.001)
    assert "true" not in found  # arrays have no place in a document


@pytest.mark.usefixtures("wrong")
def test_where_it_is_wrong_is_drawn(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml")
    text = outcome.out.splitlines()
    for title in ("relu1.input  the layer alone  FAIL  3x3x6x6", "analytic  what backward says  sample"):
        assert any(line.startswith(title) for line in text)
    assert text[-1].startswith("✗ FAIL   ")
    assert not (folder / "out").exists()
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--out", "out")
    assert outcome.code == 1
    assert "the layer alone" not in outcome.out
    assert outcome.err.splitlines()[-1] == f"wrote 1 picture into {Path('out/gradcheck')}"
    names = {path.name for path in (folder / "out" / "gradcheck").iterdir()}
    assert names == {"02_relu1__input.png", "manifest.json"}


def test_what_is_right_is_drawn_only_if_it_is_named(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--out", "out")
    assert (outcome.code, (folder / "out").exists()) == (0, False)
    assert outcome.err.splitlines()[-1] == (
        "no gradient is wrong, so there is nothing to draw; with --layer NAME it is drawn all the same"
    )
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--out", "out", "--layer", "conv", "--json")
    assert outcome.code == 0
    files = [Path(file) for file in outcome.json["files"]]
    assert [file.name for file in files] == [
        "01_conv__weight.png",
        "01_conv__bias.png",
        "01_conv__input.png",
        "01_conv__weight-network.png",
        "01_conv__bias-network.png",
        "manifest.json",
    ]
    assert all(file.is_file() for file in files)


def test_what_cannot_be_decided_is_exit_code_3(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = api.checker.gradcheck
    undecided = lambda *args, **options: replace(check(*args, **options), verdict=Verdict.INCONCLUSIVE)  # noqa: E731
    monkeypatch.setattr(api.checker, "gradcheck", undecided)
    assert cli("gradcheck", "--config", "stripes.yaml").code == 3


def test_without_data_random_numbers_will_do(cli: Cli, folder: Path) -> None:
    (folder / "stripes.npz").unlink()
    outcome = cli("gradcheck", "--config", "stripes.yaml")
    assert outcome.code == 0
    assert outcome.err.splitlines() == [
        "no --input is given: this is random numbers (seed 0)",
        "no --label is given: the targets are random, which proves as much",
    ]


def test_an_unknown_layer(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--layer", "cnv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: --layer cnv: the network has no such layer; did you mean 'conv'?\n"


def test_planted_errors_are_found(cli: Cli, folder: Path) -> None:
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--self-test")
    assert outcome.code == 0
    assert "kernel flipped" in outcome.out
    assert outcome.out.splitlines()[-1].startswith("✓ PASS   ")
    report = cli("gradcheck", "--config", "stripes.yaml", "--self-test", "--json").json
    assert (report["verdict"], report["sound"]) == ("PASS", "PASS")
    assert all(attempt["caught"] for attempt in report["attempts"])
    for option, value in (("--layer", "conv"), ("--out", "out")):
        outcome = cli("gradcheck", "--config", "stripes.yaml", "--self-test", option, value)
        assert (outcome.code, outcome.out) == (2, "")
        assert f"leave out {option}" in outcome.err
