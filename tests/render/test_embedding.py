from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from cnncli.inspection.views.embedding import EmbeddingView, Point
from cnncli.render.png.embedding import save_embedding

POINTS = (Point("test:0", 0.0, 1.0, "cat"), Point("test:1", 2.0, 3.0, "犬"))
VIEW = EmbeddingView(
    "a/b", "test", 9, (0.5, 0.25), ("cat", "犬"), (1, 4), POINTS, 0, np.array([[0.0, 1.0], [2.0, 3.0]])
)


def test_the_picture_and_the_coordinates(tmp_path: Path) -> None:
    picture, coordinates = save_embedding(VIEW, tmp_path, npy=True)
    assert picture == tmp_path / "embedding" / "a-b.png"
    assert np.array_equal(np.load(coordinates), VIEW.coordinates)
    assert save_embedding(replace(VIEW, classes=(), numbers=()), tmp_path) == [picture]


def test_a_class_whose_name_cannot_be_drawn_is_a_number(tmp_path: Path) -> None:
    numbered = replace(VIEW, classes=("cat", "class 4"), points=(POINTS[0], replace(POINTS[1], class_="class 4")))
    first, second = (save_embedding(view, tmp_path / name)[0] for name, view in (("a", VIEW), ("b", numbered)))
    assert first.read_bytes() == second.read_bytes()
