"""What can be seen of a network, as plain data: every view is a frozen dataclass and the function that fills it.

Arrays in a view are of one sample, without a batch axis, in PyTorch's order; statistics are over all samples.
Each view is loaded with its first use: a command shows one of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board as Board
    from cnncli.inspection.views.board import Row as Row
    from cnncli.inspection.views.board import Sheet as Sheet
    from cnncli.inspection.views.board import Tile as Tile
    from cnncli.inspection.views.charts import Chart as Chart
    from cnncli.inspection.views.charts import Charts as Charts
    from cnncli.inspection.views.charts import Series as Series
    from cnncli.inspection.views.classes import ClassScore as ClassScore
    from cnncli.inspection.views.classes import Prediction as Prediction
    from cnncli.inspection.views.classes import top_classes as top_classes
    from cnncli.inspection.views.curves import curves_view as curves_view
    from cnncli.inspection.views.flow import BackwardView as BackwardView
    from cnncli.inspection.views.flow import ForwardView as ForwardView
    from cnncli.inspection.views.flow import LayerRow as LayerRow
    from cnncli.inspection.views.flow import ParameterRow as ParameterRow
    from cnncli.inspection.views.flow import backward_view as backward_view
    from cnncli.inspection.views.flow import forward_view as forward_view
    from cnncli.inspection.views.panels import feature_maps as feature_maps
    from cnncli.inspection.views.panels import filters as filters
    from cnncli.inspection.views.panels import gradients as gradients
    from cnncli.inspection.views.pick import STRONGEST as STRONGEST
    from cnncli.inspection.views.pick import Pick as Pick
    from cnncli.inspection.views.pick import parse_channels as parse_channels
    from cnncli.inspection.views.subject import Subject as Subject
    from cnncli.inspection.views.summary import ReceptiveField as ReceptiveField
    from cnncli.inspection.views.summary import SummaryRow as SummaryRow
    from cnncli.inspection.views.summary import SummaryView as SummaryView
    from cnncli.inspection.views.summary import receptive_fields as receptive_fields
    from cnncli.inspection.views.summary import summary_view as summary_view

_NAMES = {
    "board": ("Board", "Row", "Sheet", "Tile"),
    "classes": ("ClassScore", "Prediction", "top_classes"),
    "charts": ("Chart", "Charts", "Series"),
    "curves": ("curves_view",),
    "flow": ("BackwardView", "ForwardView", "LayerRow", "ParameterRow", "backward_view", "forward_view"),
    "panels": ("feature_maps", "filters", "gradients"),
    "pick": ("STRONGEST", "Pick", "parse_channels"),
    "subject": ("Subject",),
    "summary": ("ReceptiveField", "SummaryRow", "SummaryView", "receptive_fields", "summary_view"),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
"""Where each public name lives."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
