"""The configurations that come with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncli.config import load
from cnncli.graph import Model

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_they_are_there() -> None:
    assert {path.stem for path in CONFIGS} >= {
        "edge3x3",
        "edge3x3-avgpool",
        "edge3x3-maxpool",
        "fashion",
        "fashion-mnist",
        "inception-mini",
        "lenet5",
        "mlp-sigmoid",
        "mnist",
        "mnist-keras",
        "resnet-mini",
        "stride-padding",
        "tf-cnn",
        "vgg-mini",
    }


def test_resolved_form_is_the_same_experiment(path: Path) -> None:
    experiment = load(path)
    assert load(experiment.to_yaml()) == experiment
    assert load(experiment.to_yaml()).to_yaml() == experiment.to_yaml()


def test_named_like_its_file(path: Path) -> None:
    assert load(path).name == path.stem


def test_begins_with_what_it_shows_and_how_to_run_it(path: Path) -> None:
    comment = path.read_text(encoding="utf-8").partition("\nname:")[0]
    title, *rest = comment.splitlines()
    assert title.startswith("# ")
    assert title.endswith((".", ":")) or ": " in title
    assert any(f"--config {path.name}" in line for line in rest)


def test_fits_a_terminal(path: Path) -> None:
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 120


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_what_learns_a_sample_learns_the_whole_by_two_settings(name: str) -> None:
    path = next(path for path in CONFIGS if path.stem == name)
    mini, whole = load(path), load(path, ["data.source=idx", f"data.path={name}"])
    assert mini.data is not None
    assert whole.data is not None
    assert (mini.data.type, whole.data.type) == (f"{name.removesuffix('-mnist')}-mini", "idx")
    assert whole.data.augment == mini.data.augment != ()
    assert whole.data.normalize == mini.data.normalize == "auto"
    assert Model.create(whole.graph).flat.size <= 500_000
