"""The confusion matrix, in the terminal and as PNG."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.errors import OutputError
from cnncli.inspection.views.confusion import ConfusionView, Tally
from cnncli.render.colors import luminance
from cnncli.render.confusion import cell_colors, error_limits
from cnncli.render.png.confusion import draw_confusion, pair_texts, save_confusion
from cnncli.render.terminal.confusion import confusion
from tests.render.makers import draw, lines


def view(matrix: Sequence[Sequence[int]], names: Sequence[str] | None = None, **options: int) -> ConfusionView:
    """Of so many answers; the samples are called test:0 and so on, in the order of the matrix."""
    counts = np.array(matrix)
    true, predicted = np.indices(counts.shape)
    tally = Tally(len(counts))
    tally.add(np.arange(counts.sum()), *(np.repeat(each.ravel(), counts.ravel()) for each in (true, predicted)))
    return tally.view("test", lambda index: f"test:{index}", names, **options)


def classes(count: int) -> ConfusionView:
    """Each taken for the next one, now and then."""
    matrix = np.eye(count, dtype=int) * 9 + np.roll(np.eye(count, dtype=int), 1, axis=1)
    return view(matrix.tolist(), [f"class {index}" for index in range(count)])


THREE = view([[8, 2, 0], [0, 12, 0], [1, 3, 4]], ["cat", "dog", "a very long name of a fox"])


def test_the_matrix_the_classes_and_the_pairs() -> None:
    assert lines(confusion(THREE), width=80) == [
        "confusion   samples test",
        "30 answers  accuracy 80.0%",
        "",
        "rows: true class  columns: predicted class",
        "                   0   1   2",
        "0 cat              8   2   .",
        "1 dog              .  12   .",
        "2 a very long ..   1   3   4",
        "",
        "class                        true  predicted  right  precision  recall     F1",
        "─────────────────────────────────────────────────────────────────────────────",
        "0 cat                          10          9      8      88.9%   80.0%  84.2%",
        "1 dog                          12         17     12      70.6%    100%  82.8%",
        "2 a very long name of a fox     8          4      4       100%   50.0%  66.7%",
        "",
        "true                       taken for  times  of the class",
        "─────────────────────────────────────────────────────────",
        "a very long name of a fox  dog            3         37.5%",
        "cat                        dog            2         20.0%",
        "a very long name of a fox  cat            1         12.5%",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("count", [1, 2, 10, 16, 40, 100, 300])
def test_it_fits_any_width(count: int, width: int) -> None:
    for color in (None, "truecolor"):
        assert max(map(len, lines(confusion(classes(count)), width=width, color=color))) <= width


def test_ten_classes_are_numbers_at_80_columns_and_a_hundred_a_picture() -> None:
    assert "9 class 9  1  .  .  .  .  .  .  .  .  9" in lines(confusion(classes(10)), width=80)
    hundred = lines(confusion(classes(100)), width=100)
    assert "the 30 of 100 classes with the lowest F1" in hundred
    start = hundred.index("share of the true class that is taken for another") + 2
    assert hundred[start - 1] == "two rows share a line, as their means"
    assert len(hundred[start]) < len(hundred[start + 40]) == 2 * 40 + 3
    assert any(line.startswith("shown at 1/2") for line in lines(confusion(classes(100)), width=80))


def test_without_colour_there_is_nothing_but_text_and_in_ascii_nothing_but_ascii() -> None:
    assert "\x1b" not in draw(confusion(THREE))
    assert draw(confusion(THREE), encoding="ascii").isascii()
    assert draw(confusion(classes(100)), encoding="ascii").isascii()


def test_numbers_can_be_read_on_their_colours() -> None:
    sent = draw(confusion(THREE), width=80, color="truecolor")
    right = ";".join(map(str, cell_colors(THREE)[1, 1]))
    assert f"\x1b[38;2;20;20;24;48;2;{right}m" in sent
    assert "grey: right" in sent


def test_errors_are_coloured_by_the_share_of_the_true_class() -> None:
    colors = cell_colors(THREE)
    limits = error_limits(THREE)
    assert limits.vmax == 3 / 8
    assert colors[2, 1].tolist() == limits.colors(np.array(3 / 8)).tolist()
    assert colors[0, 1].tolist() == limits.colors(np.array(2 / 10)).tolist()
    grey = colors[[0, 1, 2], [0, 1, 2]]
    assert (grey == grey[:, :1]).all()
    assert luminance(grey[None])[0].argsort().tolist() == [2, 0, 1]


def test_a_png_holds_its_numbers() -> None:
    image = Image.open(io.BytesIO(draw_confusion(THREE)))
    assert json.loads(image.text["matrix"]) == [[8, 2, 0], [0, 12, 0], [1, 3, 4]]
    assert json.loads(image.text["classes"])[1] == "dog"
    assert image.text["view"] == "confusion"


@pytest.mark.parametrize("count", [1, 2, 10, 40, 41, 100, 121, 1000])
def test_any_number_of_classes_is_a_picture_that_fits_a_screen_or_a_scroll(count: int) -> None:
    found = classes(count)
    image = Image.open(io.BytesIO(draw_confusion(found)))
    assert max(image.size) < 2600
    assert (np.asarray(image) == cell_colors(found)[0, 0]).all(axis=2).any()


def test_a_class_whose_name_cannot_be_drawn_is_a_number_in_a_png() -> None:
    found = view([[2, 1], [0, 3]], ["犬", "café"])
    assert pair_texts(found) == ["class 0 taken for café: 1 (33.3% of class 0), test:2"]


def test_empty_classes_long_names_and_nothing_finite() -> None:
    empty = view([[0, 0], [3, 0]], ["x" * 60, "ünïcödé 漢字"], nonfinite=3)
    assert "1         0          0      0          -       -     -" in lines(
        confusion(view([[2, 0], [0, 0]])), width=80
    )
    assert "3 answers  accuracy 0%  3 of them from NaN or infinity" in lines(confusion(empty))
    Image.open(io.BytesIO(draw_confusion(empty))).load()
    perfect = view([[2, 0], [0, 2]])
    assert perfect.pairs == ()
    Image.open(io.BytesIO(draw_confusion(perfect))).load()
    assert error_limits(perfect).vmax == 0


def test_saving(tmp_path: Path) -> None:
    path = save_confusion(THREE, tmp_path)
    assert path == tmp_path / "confusion" / "confusion.png"
    assert path.read_bytes() == draw_confusion(THREE) == draw_confusion(replace(THREE))
    with pytest.raises(OutputError):
        save_confusion(THREE, path)
