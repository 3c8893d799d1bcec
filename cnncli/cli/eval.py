"""`cnncli eval`."""

from __future__ import annotations

import cnncli
from cnncli.cli.options import Dtype, Json, NetworkOptions, Split, examples


@examples("cnncli eval --run runs/fashion-20250101-120000", "cnncli eval --run runs/first --split val --json")
def evaluate(
    network: NetworkOptions,
    split: Split = None,
    json: Json = False,
    dtype: Dtype = "float32",
) -> None:
    """Measure a trained network on a split of its data."""
    from cnncli.cli.look import note_random_weights, require_finite
    from cnncli.cli.output import say, show_json
    from cnncli.training.progress import scores_text

    session = network.load(dtype)
    result = cnncli.evaluate(session, split=split)
    note_random_weights(session)
    if json:
        show_json(result)
    else:
        say(f"{result.split}  {scores_text(result)}  ({result.samples:,} samples)")
    require_finite(result.loss)
