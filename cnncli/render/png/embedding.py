"""Samples in a plane: a point for each, coloured by its class."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnncli.files import write_atomic
from cnncli.render.png.canvas import class_name
from cnncli.render.png.charts import save_charts
from cnncli.render.png.gallery import file_name

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Charts
    from cnncli.inspection.views.embedding import EmbeddingView


def save_embedding(view: EmbeddingView, out: Path, *, npy: bool = False) -> list[Path]:
    """Writes `out/embedding/<layer>.png`, with `npy` the coordinates (N, 2) as .npy beside it. Raises OutputError."""
    paths = [save_charts(_with_drawable_names(view), out / "embedding", file_name(view.layer))]
    if npy:
        paths.append(paths[0].with_suffix(".npy"))
        write_atomic(paths[1], partial(np.save, arr=view.coordinates, allow_pickle=False))
    return paths


def _with_drawable_names(view: EmbeddingView) -> Charts:
    if not view.classes:
        return view.charts
    (chart,) = view.charts.charts
    names = map(class_name, view.classes, view.numbers)
    renamed = tuple(replace(series, name=name) for series, name in zip(chart.series, names, strict=True))
    return replace(view.charts, charts=(replace(chart, series=renamed),))
