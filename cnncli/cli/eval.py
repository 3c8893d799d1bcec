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
    from cnncli.cli.output import show, show_json
    from cnncli.render.terminal.evaluation import Evaluation
    from cnncli.training.metrics import score_text

    session = network.load(dtype)
    result = cnncli.evaluate(session, split=split)
    note_random_weights(session)
    if json:
        show_json(result)
    else:
        numbers = {"loss": result.loss, **result.metrics}
        facts = [("samples", f"{result.samples:,}"), *((name, score_text(name, numbers[name])) for name in numbers)]
        show(Evaluation(result.split, facts, result.classes, result.outputs))
    require_finite(result.loss)
