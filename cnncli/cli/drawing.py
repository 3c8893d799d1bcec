"""How the pictures of all views are shown: in the terminal, as PNG, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnncli.cli.look import fail_if_nonfinite
from cnncli.cli.options import Json, Pictures
from cnncli.cli.panels import OUTPUT
from cnncli.cli.pictures import require_folder
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cnncli.inspection.views.board import Board
    from cnncli.render.scale import Scale

ScaleText = Annotated[
    str,
    typer.Option(
        "--scale",
        metavar="MODE",
        help="One colour scale a layer, map or net; fixed:LO,HI; or percentile:P, which cuts off the rest.",
        rich_help_panel=OUTPUT,
    ),
]
Npy = Annotated[
    bool, typer.Option("--npy", help="With --out: write the raw array beside each picture.", rich_help_panel=OUTPUT)
]
Graphics = Annotated[
    Literal["sixel", "kitty", "iterm"] | None,
    typer.Option(
        "--graphics", help="Show real pictures in the terminal, by the protocol that it knows.", rich_help_panel=OUTPUT
    ),
]


@dataclass(frozen=True)
class ResultOptions:
    """Where a view goes."""

    out: Pictures = None
    json: Json = False

    def check(self) -> None:
        """To be called before the network is run, so that a mistake in an option costs no time. Raises UsageError."""
        require_folder(self.out)

    def present(self, view: object, draw: Callable[[], RenderableType], save: Callable[[Path], Sequence[Path]]) -> None:
        """As JSON; or as files, which `save` writes under a folder; or in the terminal, as `draw` has it."""
        present(view, [] if self.out is None else save(self.out), draw, json=self.json)


@dataclass(frozen=True)
class DrawingOptions:
    """How a board is shown, and where it goes."""

    scale: ScaleText = "layer"
    out: Pictures = None
    npy: Npy = False
    graphics: Graphics = None
    json: Json = False

    def check(self) -> Scale:
        """To be called before the network is run, so that a mistake in an option costs no time. Raises UsageError."""
        from cnncli.render.scale import Scale

        require_folder(self.out)
        if self.npy and self.out is None:
            raise UsageError("--npy writes the arrays beside the pictures: give --out DIR too")
        if self.graphics is not None:
            from cnncli.render.png.graphics import require

            if self.json or self.out is not None:
                raise UsageError("--graphics draws in the terminal: leave out --json and --out")
            require(self.graphics)
        return Scale.parse(self.scale)

    def present(self, board: Board, document: object | None = None, nonfinite: Sequence[str] | None = None) -> None:
        """Shows it; --json prints `document`, by default the board without its arrays, and the files' names.

        Ends the command with exit code 1 if there is NaN or infinity, at `nonfinite`, by default the board's places.
        """
        from cnncli.render.terminal.board import board as draw

        scale, files = self.check(), []
        if self.out is not None:
            from cnncli.render.png.gallery import save_board

            files = save_board(board, self.out, scale, npy=self.npy)
        if self.graphics is not None:
            from cnncli.cli.output import say
            from cnncli.render.png.graphics import graphics

            say(*graphics(board, scale, self.graphics))
        else:
            present(document or board, files, lambda: draw(board, scale), json=self.json)
        fail_if_nonfinite(board.nonfinite if nonfinite is None else nonfinite)


def present(view: object, files: Sequence[Path], draw: Callable[[], RenderableType], *, json: bool) -> None:
    """As JSON; or the names of the files, where any were written; or in the terminal, page by page if it is long."""
    from cnncli.cli.output import say, show_json, show_paged
    from cnncli.render.document import plain

    if json:
        show_json({**plain(view), "files": files})
    elif files:
        say(*(f"wrote {file}" for file in files))
    else:
        show_paged(draw())
