from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnncli.errors import OutputError
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Sheet
from cnncli.render.document import plain, to_json
from cnncli.render.png.gallery import save_board
from cnncli.render.png.sheet import decode
from cnncli.render.scale import Scale
from tests.render.makers import board, numbers, tensor

SUBJECT = Subject("test:17", true="Coat", predicted="Shirt", target="logit of class Coat")


def test_files_are_named_by_place_layer_and_what_they_show(tmp_path: Path) -> None:
    array = numbers(3, 4, 4)
    rows = tensor(array, index=0, node="input"), tensor(array, what="gradient")
    paths = save_board(board(*rows, name="gradients", subject=SUBJECT), tmp_path, npy=True)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "gradients/00_input__activation.png",
        "gradients/00_input__activation.npy",
        "gradients/01_conv1__gradient.png",
        "gradients/01_conv1__gradient.npy",
        "gradients/manifest.json",
    ]
    assert np.array_equal(np.load(paths[1]), array)
    assert np.abs(np.stack(decode(paths[2])[0]) - array).max() <= np.abs(array).max() / 254 * 1.001
    assert sorted(tmp_path.rglob("*")) == sorted([*paths, tmp_path / "gradients"])


def test_the_tensors_of_several_rows_are_numbered(tmp_path: Path) -> None:
    rows = tensor(numbers(2, 3, 3)), replace(tensor(numbers(1, 3, 3)), array=None), tensor(numbers(5), node="fc")
    paths = save_board(board(*rows, together=True), tmp_path, npy=True)
    assert [path.name for path in paths] == ["all.png", "all_r1.npy", "all_r3.npy", "manifest.json"]
    assert json.loads(paths[-1].read_text())["files"][0]["arrays"] == ["all_r1.npy", "all_r3.npy"]


def test_the_manifest_lists_them(tmp_path: Path) -> None:
    drawn = board(tensor(np.array([[[1.0, np.inf]], [[4.0, 0.0]]]), channels=[1]), subject=SUBJECT, notes="checked")
    manifest = json.loads(save_board(drawn, tmp_path, Scale("map"))[-1].read_text())
    assert manifest == {
        "view": "feature-maps",
        "files": [
            {
                "file": "01_conv1_c01__activation.png",
                "input": "test:17",
                "true": "Coat",
                "predicted": "Shirt",
                "target": "logit of class Coat",
                "scale": "map",
                "rows": [
                    {
                        "node": "conv1",
                        "type": "conv2d",
                        "what": "activation",
                        "shape": [2, 1, 2],
                        "tiles": ["c01"],
                        "channels": [1],
                        "of_channels": 2,
                        "vmin": [0.0],
                        "vmax": [4.0],
                        "colormap": "viridis",
                        "nonfinite": 1,
                        "notes": [],
                    }
                ],
                "notes": ["checked"],
            }
        ],
    }


def test_the_manifest_tells_what_is_of_a_sheet_or_of_the_whole_board(tmp_path: Path) -> None:
    row = tensor(numbers(1, 2, 2))
    sheets = Sheet("a", (row, row), ("both",), Subject("test:3", true="Bag")), Sheet("b", (row,))
    manifest = json.loads(save_board(Board("v", Subject(""), sheets, ("note",)), tmp_path)[-1].read_text())
    told = [{key: value for key, value in file.items() if key != "rows"} for file in manifest["files"]]
    of_all = {"scale": "layer", "notes": ["note"]}
    assert told == [
        {"file": "a.png", "title": ["both"], "input": "test:3", "true": "Bag", **of_all},
        {"file": "b.png", **of_all},
    ]


def test_the_manifest_keeps_what_was_there_before(tmp_path: Path) -> None:
    def told() -> dict[str, str]:
        manifest = json.loads((tmp_path / "feature-maps" / "manifest.json").read_text())
        return {file["file"]: file["input"] for file in manifest["files"]}

    first, second, third = (tensor(numbers(1, 2, 2), node=name) for name in ("a", "b", "c"))
    save_board(board(first, second, subject=Subject("test:1")), tmp_path)
    save_board(board(second, third, subject=Subject("test:2")), tmp_path)
    names = [f"01_{name}__activation.png" for name in "abc"]
    assert told() == dict(zip(names, ("test:1", "test:2", "test:2"), strict=True))
    (tmp_path / "feature-maps" / names[1]).unlink()
    save_board(board(third, subject=Subject("test:3")), tmp_path)
    assert told() == {names[0]: "test:1", names[2]: "test:3"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"files": 3}', '{"files": [3]}', '{"files": [{"file": 3}]}', "\0"]
)
def test_a_manifest_of_something_else_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "feature-maps").mkdir()
    (tmp_path / "feature-maps" / "manifest.json").write_text(text)
    manifest = json.loads(save_board(board(tensor(numbers(1, 2, 2))), tmp_path)[-1].read_text())
    assert [file["file"] for file in manifest["files"]] == ["01_conv1__activation.png"]


def test_many_tiles_are_spread_over_pages(tmp_path: Path) -> None:
    array = np.abs(numbers(150, 3, 3))
    drawn = board(tensor(array))
    *files, manifest = save_board(drawn, tmp_path)
    assert [path.name for path in files] == [f"01_conv1_p{page}__activation.png" for page in (1, 2, 3)]
    values = [tile for path in files for tile in decode(path)[0]]
    assert np.abs(np.stack(values) - array).max() <= array.max() / 510 * 1.001
    told = [file["rows"][0] for file in json.loads(manifest.read_text())["files"]]
    assert [len(row["channels"]) for row in told] == [64, 64, 22]
    assert {tuple(row["vmax"]) for row in told} == {(float(array.max()),)}


def test_filters_of_many_maps_are_fewer_on_a_page(tmp_path: Path) -> None:
    *files, _ = save_board(board(tensor(numbers(40, 64, 3, 3), what="weight")), tmp_path)
    assert [len(decode(path)[0]) for path in files] == [16, 16, 8]


def test_the_columns_of_a_page_are_of_all_rows(tmp_path: Path) -> None:
    rows = tensor(np.abs(numbers(20, 2, 2))), tensor(np.abs(numbers(18, 2, 2)), what="other"), tensor(numbers(3))
    *files, _ = save_board(board(*rows, together=True), tmp_path)
    assert [path.name for path in files] == ["all_p1.png", "all_p2.png"]
    assert [[len(row) for row in decode(path)] for path in files] == [[17, 17, 1], [3, 1]]


def test_many_rows_are_spread_over_pages_too(tmp_path: Path) -> None:
    rows = [tensor(numbers(2, 2, 2), what=str(number)) for number in range(17)]
    *files, _ = save_board(board(*rows, together=True), tmp_path)
    assert [len(decode(path)) for path in files] == [16, 1]


def test_names_that_no_file_system_likes(tmp_path: Path) -> None:
    row = replace(tensor(numbers(1, 2, 2)), node="a/b c", index=12)
    assert save_board(board(row), tmp_path)[0].name == "12_a-b-c__activation.png"
    assert save_board(board(tensor(numbers(200, 2, 2), channels=[7])), tmp_path)[0].name == (
        "01_conv1_c007__activation.png"
    )


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "feature-maps").write_text("")
    with pytest.raises(OutputError, match=r"feature-maps/01_conv1__activation\.png: cannot be written"):
        save_board(board(tensor(numbers(1, 2, 2))), tmp_path)


def test_boards_as_json() -> None:
    subject = replace(SUBJECT, picture=np.zeros((1, 1), np.uint8))
    drawn = board(tensor(np.array([[[0.5, np.nan]]])), subject=subject)
    document = json.loads(to_json(drawn))
    assert document["subject"] == {
        "input": "test:17",
        "samples": 1,
        "sample": 0,
        "true": "Coat",
        "predicted": "Shirt",
        "target": "logit of class Coat",
    }
    row = document["sheets"][0]["rows"][0]
    assert row["shape"] == [1, 1, 2]
    assert "array" not in row
    assert json.loads(to_json(drawn, arrays=True))["sheets"][0]["rows"][0]["array"] == [[[0.5, "NaN"]]]


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
