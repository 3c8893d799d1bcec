"""The network as a table."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.inspection.views.summary import SummaryView, summary_view


def summary(network: Network | None = None, **options: Unpack[SessionOptions]) -> SummaryView:
    """For every layer its output shape, parameters, MACs and receptive field. Raises what `load` does."""
    return summary_view(resolve(network, options).model)
