"""What can be seen of a network, as plain data: every view is a frozen dataclass and the function that fills it.

Arrays in a view are of one sample, without a batch axis, in PyTorch's order; statistics are over all samples.
"""

from __future__ import annotations

from cnncli.inspection.views.classes import ClassScore, Prediction, top_classes
from cnncli.inspection.views.curves import Chart, CurvesView, Series, curves_view
from cnncli.inspection.views.flow import BackwardView, ForwardView, LayerRow, ParameterRow, backward_view, forward_view
from cnncli.inspection.views.panels import Panel, PanelsView, feature_maps, filters, gradients
from cnncli.inspection.views.pick import STRONGEST, Pick, parse_channels
from cnncli.inspection.views.subject import Subject
from cnncli.inspection.views.summary import ReceptiveField, SummaryRow, SummaryView, receptive_fields, summary_view

__all__ = [
    "STRONGEST",
    "BackwardView",
    "Chart",
    "ClassScore",
    "CurvesView",
    "ForwardView",
    "LayerRow",
    "Panel",
    "PanelsView",
    "ParameterRow",
    "Pick",
    "Prediction",
    "ReceptiveField",
    "Series",
    "Subject",
    "SummaryRow",
    "SummaryView",
    "backward_view",
    "curves_view",
    "feature_maps",
    "filters",
    "forward_view",
    "gradients",
    "parse_channels",
    "receptive_fields",
    "summary_view",
    "top_classes",
]
