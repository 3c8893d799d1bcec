"""What inputs are taken for, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.flow import class_bars

if TYPE_CHECKING:
    from cnncli.inspection.views.classes import Prediction


def predictions(results: Sequence[Prediction]) -> RenderableType:
    """For every input its most probable classes with bars."""
    parts: list[RenderableType] = []
    for result in results:
        parts += [Text(result.input, "bold"), class_bars(result.top), Text()]
    return Group(*parts[:-1])
