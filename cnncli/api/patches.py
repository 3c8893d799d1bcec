"""What excites a channel most."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.inputs import Inputs
from cnncli.api.samples import some_samples
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.views.patches import PatchesView, patches_view
from cnncli.inspection.views.pick import STRONGEST, Pick


def patches(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    split: str | None = None,
    samples: int = 1000,
    count: int = 8,
    pick: Pick = STRONGEST,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> PatchesView:
    """The parts of the samples that excite each channel most, cut to what the channel's largest value sees.

    Of each channel that `pick` says `count` patches, at most one of a sample; by default of the last layer that still
    has positions. The samples are the given inputs, or so many of a split, by default the held-out one.

    Raises what `load` does, UsageError, DataError, and OutcomeError where there is nothing to show.
    """
    at_least("--count", count)
    session = resolve(network, options)
    chosen = some_samples(session, input, split, samples)
    with session.executor() as executor:
        return patches_view(executor, chosen, pick, count=count, progress=progress)
