"""`--set key.path=value`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnncli.config import Experiment, load
from cnncli.errors import ConfigError

TEXT = """\
name: base
data: fashion-mini
model:
  input: [1, 28, 28]
  layers:
    - {type: conv2d, name: conv1, out_channels: 4, kernel_size: 3}
    - relu
    - flatten
    - {type: linear, out_features: 10}
optimizer: sgd
"""


def changed(*overrides: str) -> Experiment:
    return load(TEXT, overrides)


def layers_of(*overrides: str) -> list[dict[str, Any]]:
    return changed(*overrides).resolved()["model"]["layers"]


def test_a_value_is_yaml() -> None:
    experiment = changed("optimizer.lr=1e-2", "optimizer.nesterov=true", "optimizer.momentum=.9", "name='7'")
    assert experiment.optimizer.model_dump() | {"lr": 0.01, "nesterov": True, "momentum": 0.9} == (
        experiment.optimizer.model_dump()
    )
    assert experiment.name == "7"


def test_layers_are_found_by_position_and_by_name() -> None:
    conv, *others = layers_of()
    expected = [{**conv, "out_channels": 8}, *others]
    assert layers_of("model.layers.0.out_channels=8") == expected
    assert layers_of("model.layers.conv1.out_channels=8") == expected
    assert layers_of("model.layers.linear1.out_features=12")[3] == {**others[-1], "out_features": 12}


def test_an_element_of_a_list() -> None:
    assert changed("model.input.1=20").graph.input_shape == (1, 20, 28)


def test_a_bare_word_becomes_a_mapping() -> None:
    layer = layers_of("model.layers.relu1.type=leaky_relu", "model.layers.1.negative_slope=0.3")[1]
    assert (layer["type"], layer["negative_slope"]) == ("leaky_relu", 0.3)
    experiment = changed("data.validation=100")
    assert experiment.data is not None
    assert experiment.data.validation == 100


def test_a_default_section_can_be_changed_in_part() -> None:
    assert load(TEXT, ["loss.label_smoothing=0.1"]).loss.model_dump() == {"label_smoothing": 0.1}
    without = TEXT.replace("optimizer: sgd\n", "")
    assert load(without, ["optimizer.lr=0.5"]).optimizer.lr == 0.5
    assert load(without, ["optimizer.lr=0.5"]).optimizer.type == "adam"


def test_whole_sections() -> None:
    experiment = changed("optimizer={type: adam, lr: 0.1}", "data=", "train.epochs=7", "model.layers.relu1=tanh")
    assert (experiment.optimizer.type, experiment.data, experiment.train.epochs) == ("adam", None, 7)
    assert experiment.graph.nodes[1].name == "tanh1"


def test_the_last_one_wins() -> None:
    assert changed("train.epochs=7", "train.epochs=8").train.epochs == 8


def test_a_whole_network_from_overrides() -> None:
    experiment = load("name: a\n", ["model={input: [4], layers: [relu]}", "loss=mse"])
    assert experiment.graph.output.name == "relu1"


def test_an_override_mends_a_mistake_in_the_file() -> None:
    assert load(TEXT.replace("sgd", "{type: sgd, lr: fast}"), ["optimizer.lr=1"]).optimizer.lr == 1


def test_the_anchor_of_a_changed_layer_stays_as_it_is() -> None:
    text = "model:\n  input: [4]\n  layers:\n    - &a {type: linear, out_features: 3}\n    - *a\nloss: mse\n"
    graph = load(text, ["model.layers.1.out_features=5"]).graph
    assert [node.shape for node in graph.nodes] == [(3,), (5,)]


def test_paths_in_the_file_start_at_its_directory_and_those_given_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = tmp_path / "net.yaml"
    file.write_text(TEXT.replace("fashion-mini", "{source: folder, path: images}"), encoding="utf-8")

    def path(*overrides: str) -> object:
        return getattr(load(Path("../net.yaml"), overrides).data, "path")  # noqa: B009 - not of every source

    assert Path(str(path())).resolve() == tmp_path / "images"
    assert path("data.path=images") == tmp_path / "here" / "images"
    assert path(f"data.path={tmp_path}") == tmp_path
    assert path("data.path=~/images") == Path.home() / "images"


def test_problems_of_overrides_follow_the_files_in_the_order_given() -> None:
    with pytest.raises(ConfigError) as caught:
        load(TEXT + "seed: -1\n", ["train.epochs=0", "loss=mze", "name=a b"])
    assert [problem.file for problem in caught.value.problems] == [
        "<text>",
        "--set train.epochs=0",
        "--set loss=mze",
        "--set name=a b",
    ]
