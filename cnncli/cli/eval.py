"""`cnncli eval`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

import cnncli
from cnncli.cli.options import Dtype, Json, NetworkOptions, examples
from cnncli.cli.panels import INPUT


@examples("cnncli eval --run runs/fashion-20250101-120000", "cnncli eval --run runs/first --split val --json")
def evaluate(
    network: NetworkOptions,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option("--split", help="Which samples; by default test, else val, else train.", rich_help_panel=INPUT),
    ] = None,
    json: Json = False,
    dtype: Dtype = "float32",
) -> None:
    """Measure a trained network on a split of its data."""
    from cnncli.cli.look import fail_unless_finite, note_random_weights
    from cnncli.cli.output import say, show_json
    from cnncli.training.progress import scores_text

    session = network.load(dtype)
    result = cnncli.evaluate(session, split=split)
    note_random_weights(session)
    if json:
        show_json(result)
    else:
        say(f"{result.split}  {scores_text(result)}  ({result.samples:,} samples)")
    fail_unless_finite(result.loss)
