"""The network drawn: lanes of characters, and boxes of pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.inspection.views.architecture import ArchitectureView, Box
from cnncli.render.png.architecture import draw_architecture, save_architecture
from cnncli.render.png.canvas import MARGIN
from cnncli.render.png.diagram import GUTTER, TRACK, WIRE, Diagram
from cnncli.render.terminal.architecture import architecture
from tests.render.makers import lines

KINDS = {"conv2d": "parameters", "relu": "rectifier", "max_pool2d": "pool", "concat": "join", "add": "join"}


def view(layers: Mapping[str, tuple[str, Sequence[str]]]) -> ArchitectureView:
    """Layers by name: type and inputs. Every convolution has 1,000 parameters."""
    boxes = [Box(("input",), ("input",), (), (1, 28, 28), 0, "input", None)]
    for name, (kind, inputs) in layers.items():
        window = ((3, 3), (1, 1)) if kind == "conv2d" else ((2, 2), (2, 2)) if kind == "max_pool2d" else None
        parameters = 1000 if kind == "conv2d" else 0
        boxes.append(Box((name,), (kind,), tuple(inputs), (8, 14, 14), parameters, KINDS.get(kind, "other"), window))
    return ArchitectureView("net", tuple(boxes), len(layers), sum(box.parameters for box in boxes))


BRANCHES = view(
    {
        "stem": ("max_pool2d", ["input"]),
        "a": ("conv2d", ["stem"]),
        "b": ("conv2d", ["stem"]),
        "b2": ("relu", ["b"]),
        "c": ("conv2d", ["stem"]),
        "all": ("concat", ["a", "b2", "c"]),
        "end": ("tanh", ["all"]),
    }
)
BLOCKS = view(
    {
        "x": ("conv2d", ["input"]),
        "f": ("conv2d", ["x"]),
        "y": ("add", ["f", "x"]),
        "g": ("conv2d", ["y"]),
        "z": ("add", ["g", "y"]),
    }
)


def test_branches() -> None:
    drawn = [line[:12].rstrip() for line in lines(architecture(BRANCHES), width=80)[2:10]]
    assert drawn == [
        "○       inpu",
        "▽─┬─╮   stem",
        "● │ │   a",
        "│ ● │   b",
        "│ ▷ │   b2",
        "│ │ ●   c",
        "◆─┴─╯   all",
        "○       end",
    ]


def test_shortcuts_and_a_layer_that_both_joins_and_parts() -> None:
    assert [line[:9].rstrip() for line in lines(architecture(BLOCKS), width=80)[2:9]] == [
        "○     inp",
        "●─╮   x",
        "● │   f",
        "◆─╯   y",
        "├─╮",
        "● │   g",
        "◆─╯   z",
    ]


def test_plain_characters() -> None:
    drawn = lines(architecture(BRANCHES), width=80, encoding="ascii")
    assert [line.partition("|input")[0].rstrip() for line in drawn[2:3]] == ["o"]
    assert [line[:6].rstrip() for line in drawn[3:9]] == ["v-+-+", "@ | |", "| @ |", "| > |", "| | @", "*-+-+"]
    assert "@ has parameters" in drawn[-1]


def test_a_line_that_is_crossed_is_not_interrupted() -> None:
    """The lane of x is passed by what comes from a."""
    crossing = view(
        {
            "a": ("conv2d", ["input"]),
            "b": ("conv2d", ["a"]),
            "c": ("add", ["b", "input"]),
            "d": ("add", ["c", "a"]),
        }
    )
    assert [line[:5] for line in lines(architecture(crossing), width=80)[2:7]] == [
        "○─╮  ",
        "●─│─╮",
        "● │ │",
        "◆─╯ │",
        "◆───╯",
    ]


def test_columns_are_dropped_where_there_is_no_room() -> None:
    for width in range(30, 100, 7):
        drawn = lines(architecture(BRANCHES), width=width)
        assert max(map(len, drawn)) <= width
    assert lines(architecture(BRANCHES), width=90)[0].split() == ["layer", "type", "output", "parameters"]
    assert lines(architecture(BRANCHES), width=36)[0].split() == ["layer", "output"]


def test_the_sum_of_the_parameters_and_the_meaning_of_the_signs() -> None:
    drawn = lines(architecture(BRANCHES), width=90)
    assert drawn[-2].split() == ["7", "layers", "3,000"]
    assert drawn[-1] == "● has parameters   ▷ rectifies   ▽ pools   ◆ joins   ○ other"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def chain(count: int, *, blocks: bool = False) -> ArchitectureView:
    layers: dict[str, tuple[str, Sequence[str]]] = {}
    name = "input"
    for index in range(count):
        layers[f"conv{index}"] = ("conv2d", [name])
        if blocks and index:
            layers[f"sum{index}"] = ("add", [f"conv{index}", name])
        name = list(layers)[-1]
    return view(layers)


@pytest.mark.parametrize("drawn", [BRANCHES, BLOCKS, chain(3), chain(60), chain(60, blocks=True)])
def test_a_picture_of_every_network(drawn: ArchitectureView) -> None:
    picture = pixels(draw_architecture(drawn))
    assert (picture == WIRE).all(axis=2).any()
    assert draw_architecture(drawn) == draw_architecture(drawn)


def test_a_long_network_is_cut_into_columns() -> None:
    short, long = pixels(draw_architecture(chain(8))), pixels(draw_architecture(chain(80)))
    assert short.shape[0] > short.shape[1]
    assert long.shape[0] < 0.4 * 80 / 8 * short.shape[0]
    assert 0.5 < long.shape[1] / long.shape[0] < 3


def columns(layers: Mapping[str, tuple[str, Sequence[str]]]) -> list[list[str]]:
    """The names of the layers in each column of the picture."""
    diagram = Diagram(view(layers))
    tops = {name: diagram.tops[row] for name, row in diagram.layout.row.items()}
    return [[name for name, top in tops.items() if part.top <= top < part.bottom] for part in diagram.columns()]


def residual(blocks: int, length: int) -> dict[str, tuple[str, Sequence[str]]]:
    layers: dict[str, tuple[str, Sequence[str]]] = {"end0": ("conv2d", ["input"])}
    for block in range(1, blocks + 1):
        name = f"end{block - 1}"
        for place in range(length):
            layers[f"conv{block}_{place}"] = ("conv2d", [name])
            name = f"conv{block}_{place}"
        layers[f"add{block}"] = ("add", [name, f"end{block - 1}"])
        layers[f"end{block}"] = ("relu", [f"add{block}"])
    return layers


@pytest.mark.parametrize(("blocks", "length"), [(3, 4), (6, 2), (12, 3), (5, 7)])
def test_columns_end_between_residual_blocks_where_one_line_goes_on(blocks: int, length: int) -> None:
    layers = residual(blocks, length)
    found = columns(layers)
    assert len(found) > 1
    assert [name for part in found for name in part] == ["input", *layers]
    assert all(part[-1].startswith("end") for part in found)
    assert {len(part.wires) for part in Diagram(view(layers)).columns()[:-1]} == {1}


def test_a_line_goes_on_at_the_head_of_the_next_column() -> None:
    picture = pixels(draw_architecture(view(residual(6, 2))))
    wire = (picture == WIRE).all(axis=2)
    first, second = Diagram(view(residual(6, 2))).columns()[:2]
    level = np.flatnonzero(wire.sum(axis=1) > first.width // 2)[0]  # the line above the columns
    left = MARGIN + first.width + GUTTER + TRACK
    assert wire[level : level + 2 * TRACK, left + first.wires[0]].all()
    assert second.top >= first.bottom


def test_long_names_stay_in_their_boxes() -> None:
    long = view({"a" * 200: ("conv2d", ["input"]), "b": ("relu", ["a" * 200])})
    assert pixels(draw_architecture(long)).shape[1] < 400


def test_the_file(tmp_path: Path) -> None:
    path = save_architecture(BRANCHES, tmp_path)
    assert path == tmp_path / "architecture" / "architecture.png"
    image = Image.open(path)
    image.load()
    assert image.text == {"view": "architecture", "network": "net"}  # type: ignore[attr-defined]
