"""The worst samples as PNG."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnncli.render.png.canvas import class_name
from cnncli.render.png.gallery import save_board

if TYPE_CHECKING:
    from cnncli.inspection.views.mistakes import Mistake, MistakesView


def save_mistakes(view: MistakesView, out: Path) -> list[Path]:
    """Writes what `save_board` writes, with numbers for classes whose names cannot be drawn. Raises OutputError."""
    drawable = tuple(map(_with_drawable_names, view.mistakes))
    return save_board(replace(view, mistakes=drawable).board(), out)


def _with_drawable_names(mistake: Mistake) -> Mistake:
    if mistake.numbers is None or mistake.true is None or mistake.predicted is None:
        return mistake
    true, predicted = map(class_name, (mistake.true, mistake.predicted), mistake.numbers)
    return replace(mistake, true=true, predicted=predicted)
