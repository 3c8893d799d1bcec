"""`cnncli find-lr`: a chart, a picture, a document, and one line for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import cnncli
from cnncli.errors import UsageError
from tests.cli.conftest import Cli

BASE = ("find-lr", "--config", "stripes.yaml", "--workers", "1")


def test_a_chart_and_what_it_says(cli: Cli, folder: Path) -> None:
    outcome = cli(*BASE)
    assert (outcome.code, outcome.err) == (0, "")
    assert "loss by learning rate" in outcome.out
    assert "suggested: --set optimizer.lr=" in outcome.out
    assert "(configured: 0.01)" in outcome.out
    assert {path.name for path in folder.iterdir()} == {"stripes.npz", "stripes.yaml"}


def test_the_document(cli: Cli, folder: Path) -> None:
    outcome = cli(*BASE, "--from", "1e-5", "--to", "1", "--steps", "50", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = outcome.json
    assert set(found) == {"name", "optimizer", "lr", "curve", "notes", "suggestion", "files"}
    assert (found["name"], found["optimizer"], found["lr"], found["files"]) == ("stripes", "adam", 0.01, [])
    curve = found["curve"]
    assert set(curve) == {"rates", "losses", "smoothed", "minimum", "halfway", "exploded"}
    assert 10 < len(curve["rates"]) <= 50
    assert found["suggestion"] == min(curve["halfway"], curve["minimum"] / 10)
    assert cnncli.find_lr("stripes.yaml", low=1e-5, high=1.0, steps=50, workers=1).curve.rates == tuple(curve["rates"])


def test_a_picture(cli: Cli, folder: Path) -> None:
    outcome = cli(*BASE, "--out", "pictures")
    path = folder / "pictures" / "find-lr" / "find-lr.png"
    wrote, suggested, *_ = outcome.out.splitlines()
    assert wrote == f"wrote {path.relative_to(folder)}"
    assert suggested.startswith("suggested: --set optimizer.lr=")
    assert cli(*BASE, "--steps", "20", "--out", "pictures", "--json").json["files"] == [str(path.relative_to(folder))]
    with Image.open(path) as picture:
        assert min(picture.size) > 200


def test_a_curve_that_never_turns_says_so(cli: Cli, folder: Path) -> None:
    notes = cli(*BASE, "--set", "optimizer=sgd", "--from", "1e-3", "--to", "0.1", "--json").json["notes"]
    assert notes[-1] == "it still falls at 0.1: the best rate may be higher; go on with --to 10"


def test_a_loss_that_falls_nowhere(cli: Cli, folder: Path) -> None:
    outcome = cli(*BASE, "--to", "1e-6", "--json")
    assert outcome.code == 0
    assert outcome.json["suggestion"] is None
    assert outcome.json["notes"] == ["the loss falls at no rate"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "0"), "--from 0: expected a learning rate above 0"),
        (("--to", "inf"), "--to inf: expected a learning rate above 0"),
        (("--from", "nan"), "--from nan: expected a learning rate above 0"),
        (("--from", "1", "--to", "0.1"), "--to 0.1: expected more than --from, which is 1"),
        (("--set", "data=null"), "this needs data, and the configuration has none; add data: {source: ...}"),
    ],
)
def test_mistakes(cli: Cli, folder: Path, options: tuple[str, ...], message: str) -> None:
    outcome = cli(*BASE, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_too_few_steps(folder: Path) -> None:
    with pytest.raises(UsageError, match="--steps 9: expected at least 10"):
        cnncli.find_lr("stripes.yaml", steps=9)


def test_an_explosion_at_once_is_a_failure(cli: Cli, folder: Path) -> None:
    outcome = cli(*BASE, "--from", "1e20", "--to", "1e30")
    assert (outcome.code, outcome.out) == (1, "")
    assert "the loss explodes at the first learning rate, 1e+20: begin lower with --from" in outcome.err
