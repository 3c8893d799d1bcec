"""What `load` gives: defaults, names, paths, and descriptions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cnncli.config import load
from cnncli.errors import ConfigError, InputError

SMALL = "model: {input: [4], layers: [relu]}\n"


def test_defaults() -> None:
    experiment = load(SMALL)
    assert (experiment.name, experiment.seed, experiment.data) == ("experiment", 0, None)
    assert (experiment.loss.type, experiment.optimizer.type, experiment.optimizer.lr) == ("cross_entropy", "adam", 1e-3)
    assert (experiment.train.epochs, experiment.train.batch_size) == (5, 64)


def test_empty_sections_are_as_good_as_absent() -> None:
    assert load(SMALL + "name:\ndata:\nloss: null\noptimizer: ~\ntrain:\n") == load(SMALL)


def test_the_small_numbers_of_science_are_numbers() -> None:
    assert load(SMALL + "optimizer: {type: adam, lr: 1e-3, weight_decay: 5e-4}\n").optimizer.weight_decay == 5e-4


@pytest.mark.parametrize(
    ("file", "name"),
    [("lenet5.yaml", "lenet5"), ("my net (2).yml", "my-net--2-"), ("...", "experiment"), ("a.b.yaml", "a.b")],
)
def test_named_after_the_file(tmp_path: Path, file: str, name: str) -> None:
    path = tmp_path / file
    path.write_text(SMALL, encoding="utf-8")
    assert load(path).name == name
    assert load(str(path)).name == name


def test_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load(SMALL).seed = 1  # type: ignore[misc]


def test_no_data_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SMALL + "data: {source: folder, path: missing}\n", encoding="utf-8")
    data = load(path).data
    assert data is not None
    assert data.model_dump()["path"] == tmp_path / "missing"


def test_a_loss_that_nobody_asks_for_may_be_anything() -> None:
    text = "model: {input: [1, 3, 3], layers: [relu]}\n"
    assert load(text).loss.type == "cross_entropy"
    with pytest.raises(ConfigError, match="chooses between classes"):
        load(text + "loss: cross_entropy\n")


def test_resolved_weights_stay_on_few_lines() -> None:
    weight = [[[[1.0, 0.0, -1.0]] * 3]]
    layer = f"{{type: conv2d, out_channels: 1, kernel_size: 3, weight: {weight}}}"
    text = load(f"model: {{input: [1, 4, 4], layers: [{layer}]}}\n").to_yaml()
    assert f"    weight: {weight}\n" in text


def test_errors_are_input_errors_with_their_problems() -> None:
    with pytest.raises(InputError) as caught:
        load(SMALL + "seed: x\n")
    assert caught.value.exit_code == 2
    (problem,) = getattr(caught.value, "problems")  # noqa: B009 - of this kind of InputError alone
    assert (problem.file, problem.line, problem.column) == ("<text>", 2, 7)
