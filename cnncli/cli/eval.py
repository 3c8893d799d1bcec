"""`cnncli eval`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

import cnncli
from cnncli.cli.options import INPUT, Checkpoint, Config, Dtype, Json, Run, Set, Workers, examples, network


@examples("cnncli eval --run runs/fashion-20250101-120000", "cnncli eval --run runs/first --split val --json")
def evaluate(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option("--split", help="Which samples; by default test, else val, else train.", rich_help_panel=INPUT),
    ] = None,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Measure a trained network on a split of its data."""
    from cnncli.cli.look import fail_unless_finite, note_random_weights
    from cnncli.cli.output import say, show_json
    from cnncli.training.progress import scores_text

    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    result = cnncli.evaluate(session, split=split)
    note_random_weights(session)
    if json:
        show_json(result)
    else:
        say(f"{result.split}  {scores_text(result)}  ({result.samples:,} samples)")
    fail_unless_finite(result.loss)
