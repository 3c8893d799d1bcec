"""`cnncli gradcheck`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.failures import FAILED
from cnncli.cli.options import Input, Json, Label, LayerNames, NetworkOptions, Pictures, examples
from cnncli.cli.panels import COMPUTING, INPUT
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cnncli.api.gradcheck import Gradcheck, SelfTest
    from cnncli.api.session import Session

INCONCLUSIVE = 3
EXIT_CODES = {"PASS": 0, "FAIL": FAILED, "INCONCLUSIVE": INCONCLUSIVE}


@examples(
    "cnncli gradcheck --config lenet5.yaml",
    "cnncli gradcheck --config lenet5.yaml --layer conv1 --out pictures",
    "cnncli gradcheck --config lenet5.yaml --self-test",
)
def gradcheck(
    network: NetworkOptions,
    input_: Input = None,
    label: Label = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            min=1,
            max=8,
            metavar="N",
            help="How many samples, where no --input is given; by default 3.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    layer: LayerNames = None,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant errors instead, and see that each is found.", rich_help_panel=INPUT),
    ] = False,
    out: Pictures = None,
    json: Json = False,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, metavar="N", help="Start of the random directions.", rich_help_panel=COMPUTING),
    ] = 0,
) -> None:
    """Prove that the gradients are right, tensor by tensor.

    With --out, pictures of where the errors sit: of the gradients that are wrong, or of those of each --layer.

    Exit code 0: all right; 1: a gradient is wrong; 3: not everything could be decided.
    """
    from cnncli.api.gradcheck import SAMPLES
    from cnncli.cli.pictures import require_folder
    from cnncli.cli.progress import checking

    if self_test and layer:
        raise UsageError("--self-test plants errors in layers of its own choice; leave out --layer")
    if self_test and out:
        raise UsageError("--self-test draws no pictures; leave out --out")
    if input_ and samples:
        raise UsageError("--samples counts training samples, and --input gives others; leave out one of them")
    require_folder(out)
    session = network.load()
    with checking() as progress:
        if self_test:
            report: Gradcheck | SelfTest = cnncli.self_test(
                session, input=input_, label=label or [], samples=samples or SAMPLES, seed=seed, progress=progress
            )
        else:
            report = cnncli.gradcheck(
                session,
                input=input_,
                label=label or [],
                samples=samples or SAMPLES,
                layer=layer or [],
                seed=seed,
                mapped="all" if out and layer else "failed",
                progress=progress,
            )
    _present(report, session, out, given=input_, json=json)
    raise typer.Exit(EXIT_CODES[report.verdict])


def _present(
    report: Gradcheck | SelfTest, session: Session, out: Path | None, *, given: list[str] | None, json: bool
) -> None:
    from cnncli.api.gradcheck import Gradcheck, brief_error_maps
    from cnncli.cli.look import note_stand_in
    from cnncli.cli.output import note, show, show_json
    from cnncli.render.document import plain
    from cnncli.render.terminal import gradcheck as drawn

    note_stand_in(given, report.inputs)
    if report.random_targets:
        note("no --label is given: the targets are random, which proves as much")
    if not isinstance(report, Gradcheck):
        show_json(report) if json else show(drawn.self_test(report))
        return
    files = [] if out is None else _save(report, session, out)
    if json:
        show_json({**plain(report), "files": files})
    else:
        show(drawn.gradcheck(report, None if out else brief_error_maps(report, session)))


def _save(report: Gradcheck, session: Session, out: Path) -> list[Path]:
    """PNG files under `out`, and a list of them."""
    from cnncli.api.gradcheck import error_maps
    from cnncli.cli.output import note
    from cnncli.cli.pictures import write_pictures

    if not report.maps:
        if report.verdict == "PASS":
            note("no gradient is wrong, so there is nothing to draw; with --layer NAME it is drawn all the same")
        else:
            note("no gradient could be compared element by element, so there is nothing to draw")
        return []
    return write_pictures(error_maps(report, session), out)
