"""The network itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import NetworkOptions, examples

if TYPE_CHECKING:
    from cnncli.inspection.views.architecture import ArchitectureView


@examples(
    "cnncli visualize architecture --config resnet-mini.yaml",
    "cnncli visualize architecture --config resnet-mini.yaml --out pictures",
)
def architecture(network: NetworkOptions, result: ResultOptions) -> None:
    """Draw the network, with shapes."""
    from cnncli.render.terminal.architecture import architecture as render

    result.check()
    view = cnncli.architecture(network.load())
    result.present(view, lambda: render(view), partial(_save, view))


def _save(view: ArchitectureView, out: Path) -> list[Path]:
    from cnncli.render.png.architecture import save_architecture

    return [save_architecture(view, out)]
