"""The network as PNG: what it is, what the colours mean, and its drawing, cut into columns side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnncli.files import write_atomic
from cnncli.render.boxes import MEANINGS
from cnncli.render.png.canvas import FAINT, LARGE, MARGIN, NORMAL, SMALL, Canvas, line_height, text_width
from cnncli.render.png.diagram import COLORS, GUTTER, TRACK, WIRE, Column, Diagram, dark
from cnncli.render.text import count
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.views.architecture import ArchitectureView


def save_architecture(view: ArchitectureView, out: Path) -> Path:
    """Writes `out/architecture/architecture.png` and returns its path. Raises OutputError."""
    path = out / "architecture" / "architecture.png"
    write_atomic(path, draw_architecture(view))
    return path


def draw_architecture(view: ArchitectureView) -> bytes:
    """The PNG: what it is, what the colours mean, and the drawing, cut into columns of about the same height."""
    diagram = Diagram(view)
    columns = diagram.columns()
    lines = max(len(column.wires) for column in columns)
    facts = f"{plural(view.layers, 'layer')}    {count(view.parameters)} parameters"
    legend = [(kind, text) for kind, text in MEANINGS.items() if any(box.kind == kind for box in view.boxes)]
    entries = [30 + text_width(text, SMALL) for _, text in legend]
    gutter = GUTTER + TRACK * lines
    across = sum(column.width for column in columns) + gutter * (len(columns) - 1)
    width = max(across, sum(entries), text_width(view.name, LARGE), text_width(facts, NORMAL))
    top = MARGIN + line_height(LARGE) + line_height(NORMAL) + line_height(SMALL) + MARGIN + TRACK * lines
    height = max(column.bottom - column.top for column in columns) + TRACK * lines
    canvas = Canvas(width + 2 * MARGIN, top + height + MARGIN)
    canvas.text(MARGIN, MARGIN, view.name, LARGE)
    canvas.text(MARGIN, MARGIN + line_height(LARGE), facts, NORMAL, FAINT)
    left, line = MARGIN, MARGIN + line_height(LARGE) + line_height(NORMAL)
    for (kind, text), wide in zip(legend, entries, strict=True):
        canvas.draw.rectangle((left, line + 2, left + 11, line + 12), fill=dark(COLORS[kind]), outline=COLORS[kind])
        canvas.text(left + 16, line, text, SMALL, FAINT)
        left += wide
    whole, left = diagram.draw(), MARGIN
    for number, column in enumerate(columns, start=1):
        canvas.image.paste(whole.image.crop((0, column.top, column.width, column.bottom)), (left, top))
        after = left + column.width + gutter
        if number < len(columns):
            _go_on(canvas, column, left, after, top)
        left = after
    return canvas.png({"view": "architecture", "network": view.name})


def _go_on(canvas: Canvas, column: Column, left: int, right: int, top: int) -> None:
    """Lines from the foot of a column at `left` to the head of the next at `right`, none of which cross."""
    foot = top + column.bottom - column.top
    for place, x in enumerate(reversed(column.wires)):
        low, high = foot + TRACK * (place + 1), top - TRACK * (len(column.wires) - place)
        gutter = left + column.width + GUTTER // 2 + TRACK * place
        points = [(left + x, foot), (left + x, low), (gutter, low), (gutter, high), (right + x, high), (right + x, top)]
        canvas.draw.line(points, fill=WIRE, width=2)
