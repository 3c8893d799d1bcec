"""The network as a drawing."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.inspection.views.architecture import ArchitectureView, architecture_view


def architecture(network: Network | None = None, **options: Unpack[SessionOptions]) -> ArchitectureView:
    """The layers with their types, shapes and parameters, and how they are connected. Raises what `load` does."""
    session = resolve(network, options)
    return architecture_view(session.model, session.experiment.name)
