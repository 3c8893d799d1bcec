"""`cnncli gradcheck`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.failures import FAILED
from cnncli.cli.options import (
    COMPUTING,
    INPUT,
    Checkpoint,
    Config,
    Input,
    Json,
    Label,
    LayerNames,
    Run,
    Set,
    Workers,
    examples,
    network,
)
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cnncli.api.gradcheck import Gradcheck, SelfTest

INCONCLUSIVE = 3
EXIT_CODES = {"PASS": 0, "FAIL": FAILED, "INCONCLUSIVE": INCONCLUSIVE}


@examples(
    "cnncli gradcheck --config lenet5.yaml",
    "cnncli gradcheck --config lenet5.yaml --layer conv1 --json",
    "cnncli gradcheck --config lenet5.yaml --self-test",
)
def gradcheck(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    label: Label = None,
    samples: Annotated[
        int,
        typer.Option(
            "--samples",
            min=1,
            max=8,
            metavar="N",
            help="How many samples, where no --input is given.",
            rich_help_panel=INPUT,
        ),
    ] = 3,
    layer: LayerNames = None,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant errors instead, and see that each is found.", rich_help_panel=INPUT),
    ] = False,
    json: Json = False,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, metavar="N", help="Start of the random directions.", rich_help_panel=COMPUTING),
    ] = 0,
    workers: Workers = None,
) -> None:
    """Prove that the gradients are right, tensor by tensor.

    Exit code 0: all right; 1: a gradient is wrong; 3: not everything could be decided.
    """
    from cnncli.cli.progress import checking
    from cnncli.render import tables

    if self_test and layer:
        raise UsageError("--self-test plants errors in layers of its own choice; leave out --layer")
    chosen = network(config, run, checkpoint, set_, workers)
    labels = label or []
    if self_test:
        with checking() as progress:
            tested = cnncli.self_test(
                input=input_, label=labels, samples=samples, seed=seed, progress=progress, **chosen
            )
        _present(tested, tables.self_test(tested), given=input_, json=json)
    else:
        with checking() as progress:
            checked = cnncli.gradcheck(
                input=input_,
                label=labels,
                samples=samples,
                layer=layer or [],
                seed=seed,
                progress=progress,
                **chosen,
            )
        _present(checked, tables.gradcheck(checked), given=input_, json=json)


def _present(report: Gradcheck | SelfTest, table: RenderableType, *, given: list[str] | None, json: bool) -> None:
    from cnncli.cli.look import note_stand_in
    from cnncli.cli.output import show, show_json

    note_stand_in(given, report.inputs)
    if json:
        show_json(report)
    else:
        show(table)
    raise typer.Exit(EXIT_CODES[report.verdict])
