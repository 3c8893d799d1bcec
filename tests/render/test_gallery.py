from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnncli.errors import OutputError
from cnncli.inspection.views import Chart, CurvesView, Series, Subject
from cnncli.render.document import plain, to_json
from cnncli.render.gallery import file_stem, save_curves, save_panels
from cnncli.render.scale import Scale
from cnncli.render.sheet import decode
from tests.render.makers import numbers, panel, view

SUBJECT = Subject("test:17", true="Coat", predicted="Shirt", target="logit of class Coat")


def test_files_are_named_by_place_layer_and_what_they_show(tmp_path: Path) -> None:
    array = numbers(3, 4, 4)
    drawn = view(panel(array, index=0, node="input"), panel(array, what="gradient"), name="gradients", subject=SUBJECT)
    paths = save_panels(drawn, tmp_path, npy=True)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "gradients/00_input__activation.png",
        "gradients/00_input__activation.npy",
        "gradients/01_conv1__gradient.png",
        "gradients/01_conv1__gradient.npy",
        "gradients/manifest.json",
    ]
    assert np.array_equal(np.load(paths[1]), array)
    assert np.abs(decode(paths[2]) - array).max() <= np.abs(array).max() / 254 * 1.001
    assert sorted(tmp_path.rglob("*")) == sorted([*paths, tmp_path / "gradients"])


def test_the_manifest_lists_them(tmp_path: Path) -> None:
    drawn = view(panel(np.array([[[1.0, np.inf]], [[4.0, 0.0]]]), channels=[1]), subject=SUBJECT)
    manifest = json.loads(save_panels(drawn, tmp_path, Scale("map"))[-1].read_text())
    assert manifest == {
        "view": "feature-maps",
        "input": "test:17",
        "true": "Coat",
        "predicted": "Shirt",
        "target": "logit of class Coat",
        "scale": "map",
        "files": [
            {
                "file": "01_conv1_c01__activation.png",
                "node": "conv1",
                "type": "conv2d",
                "what": "activation",
                "shape": [2, 1, 2],
                "channels": [1],
                "of_channels": 2,
                "vmin": [0.0],
                "vmax": [4.0],
                "colormap": "viridis",
                "nonfinite": 1,
            }
        ],
    }


def test_names_that_no_file_system_likes() -> None:
    assert file_stem(replace(panel(numbers(1, 2, 2)), node="a/b c", index=12)) == "12_a-b-c__activation"
    assert file_stem(panel(numbers(200, 2, 2), channels=[7])) == "01_conv1_c007__activation"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "feature-maps").write_text("")
    with pytest.raises(OutputError, match=r"feature-maps/01_conv1__activation\.png: cannot be written"):
        save_panels(view(panel(numbers(1, 2, 2))), tmp_path)


def test_curves(tmp_path: Path) -> None:
    charts = (Chart("loss", (1.0, 2.0), (Series("train", (2.0, 1.0)),)),)
    path = save_curves(CurvesView("run", charts), tmp_path)
    assert path == tmp_path / "curves.png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_views_as_json() -> None:
    drawn = view(panel(np.array([[[0.5, np.nan]]])), subject=replace(SUBJECT, picture=np.zeros((1, 1), np.uint8)))
    document = json.loads(to_json(drawn))
    assert document["subject"] == {
        "input": "test:17",
        "samples": 1,
        "sample": 0,
        "true": "Coat",
        "predicted": "Shirt",
        "target": "logit of class Coat",
    }
    assert document["panels"][0]["shape"] == [1, 1, 2]
    assert "array" not in document["panels"][0]
    assert json.loads(to_json(drawn, arrays=True))["panels"][0]["array"] == [[[0.5, "NaN"]]]


def test_what_json_does_not_know() -> None:
    values = {
        "a": np.float32(0.5),
        "b": np.int64(3),
        "c": Path("x/y"),
        "d": (np.bool_(True), None),
        "e": -np.inf,
        "f": np.inf,
    }
    assert plain(values) == {"a": 0.5, "b": 3, "c": "x/y", "d": [True, None], "e": "-Infinity", "f": "Infinity"}
    assert plain(np.arange(2)) == [0, 1]
