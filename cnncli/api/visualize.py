"""Pictures of what is inside a network, as data for the renderer."""

from __future__ import annotations

from os import PathLike
from typing import Unpack

from cnncli.api.backward import backward
from cnncli.api.forward import forward
from cnncli.api.inputs import Inputs, Labels
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.inspection.views import panels
from cnncli.inspection.views.board import Board
from cnncli.inspection.views.pick import STRONGEST, Pick


def feature_maps(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    pick: Pick = STRONGEST,
    train_mode: bool = False,
    **options: Unpack[SessionOptions],
) -> Board:
    """What every layer makes of each input, by default of the first sample of the data.

    `pick` says which layers and channels. Raises what `forward` does, and UsageError if nothing fits `pick`.
    """
    return forward(resolve(network, options), input=input, train_mode=train_mode).pictures(pick)


def filters(network: Network | None = None, *, pick: Pick = STRONGEST, **options: Unpack[SessionOptions]) -> Board:
    """The weights. Raises what `load` does, and UsageError."""
    session = resolve(network, options)
    return panels.filters(session.model, pick)


def gradients(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    pick: Pick = STRONGEST,
    train_mode: bool = False,
    **options: Unpack[SessionOptions],
) -> Board:
    """The gradients of what `backward` differentiates, with the same options.

    `pick` says which layers and channels. Raises what `backward` does, and UsageError if nothing fits `pick`.
    """
    session = resolve(network, options)
    result = backward(session, input=input, label=label, target=target, upstream=upstream, train_mode=train_mode)
    return result.pictures(pick)
