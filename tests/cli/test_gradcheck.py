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
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: the loss needs to know what is right, and two.npy[0] has no label")
    report = cli(*arguments, "--label", "down").json
    assert {tensor["node"] for tensor in report["tensors"]} == {"conv"}


def test_a_wrong_gradient_fails_and_is_named(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    relu = LAYERS["relu"]
    right = relu.backward

    def wrong(self: Any, *arguments: Any) -> Any:
        (dx,), gradients = right(self, *arguments)
        return (dx * 1.001,), gradients

    monkeypatch.setattr(relu, "backward", wrong)
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--json")
    assert outcome.code == 1
    failed = {(tensor["node"], tensor["level"]) for tensor in outcome.json["tensors"] if tensor["verdict"] == "FAIL"}
    assert ("relu1", "layer") in failed
    assert ("classes", "layer") not in failed


def test_what_cannot_be_decided_is_exit_code_3(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = api.checker.gradcheck
    undecided = lambda *args, **options: replace(check(*args, **options), verdict=Verdict.INCONCLUSIVE)  # noqa: E731
    monkeypatch.setattr(api.checker, "gradcheck", undecided)
    assert cli("gradcheck", "--config", "stripes.yaml").code == 3


def test_without_data_random_numbers_will_do(cli: Cli, folder: Path) -> None:
    (folder / "stripes.npz").unlink()
    outcome = cli("gradcheck", "--config", "stripes.yaml")
    assert (outcome.code, outcome.err) == (0, "no --input is given: this is random numbers (seed 0)\n")


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
    outcome = cli("gradcheck", "--config", "stripes.yaml", "--self-test", "--layer", "conv")
    assert (outcome.code, outcome.out) == (2, "")
