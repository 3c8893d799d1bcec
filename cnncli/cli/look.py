"""What the commands that look into a network have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from cnncli.cli.failures import FAILED, complain
from cnncli.cli.output import note

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from cnncli.api.session import Session


def note_stand_in(given: Sequence[str] | None, taken: Sequence[str]) -> None:
    """Tells which inputs were taken where none was given."""
    if not given:
        note(f"no --input is given: this is {', '.join(dict.fromkeys(taken))}")


def note_random_weights(session: Session) -> None:
    """Tells that the network was not trained, where that makes its numbers random."""
    if session.is_random:
        seed = session.experiment.seed
        note(f"no --checkpoint is given: the weights are random (seed {seed}), not trained")


def require_finite(*numbers: ArrayLike) -> None:
    """Ends the command with exit code 1 if a loss or an output is not finite."""
    import numpy as np

    if not all(np.isfinite(each).all() for each in numbers):
        complain("the outputs are not finite: the weights or the input hold NaN or infinity")
        raise typer.Exit(FAILED)


def fail_if_nonfinite(places: Sequence[str]) -> None:
    """Ends the command with exit code 1 if numbers at these places are not finite; the first is likely to be why."""
    if places:
        more = f", and in {len(places) - 1} more" if len(places) > 1 else ""
        complain(f"NaN or infinity in {places[0]}{more}")
        raise typer.Exit(FAILED)
