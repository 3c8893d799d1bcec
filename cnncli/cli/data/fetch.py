"""`cnncli data fetch`."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.options import Json, examples
from cnncli.cli.panels import INPUT, OUTPUT

if TYPE_CHECKING:
    from cnncli.data.fetch import Fetched


@examples(
    "cnncli data fetch mnist",
    "cnncli data fetch cifar10 --out ~/data/cifar10",
    "cnncli data fetch fashion-mnist --mirror https://example.org/fashion",
)
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="mnist, fashion-mnist or cifar10.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to; by default data/NAME.", rich_help_panel=OUTPUT),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            "--mirror",
            metavar="URL",
            help="A folder on the network that has the files, instead of the known ones.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Download MNIST, Fashion-MNIST or CIFAR-10, checked and resumable.

    What is there already is not fetched again; a download that broke off
    goes on where it did. At the end the section of a configuration that
    reads the data is printed. Needs pooch, which comes with the extra "fetch".
    """
    from cnncli.cli.data.downloading import downloading
    from cnncli.cli.output import note, say, show_json
    from cnncli.cli.pictures import require_folder
    from cnncli.config.dump import to_text

    require_folder(out)
    with downloading() as listener:
        done = cnncli.fetch(name, out=out, mirror=mirror, listener=listener)
    if json:
        show_json(done)
        return
    there = "" if done.downloaded else " (all of it was there)"
    note(
        f"{done.title}, {done.samples}, is in {done.folder}{there}",
        "the section of a configuration in this folder:",
        "",
    )
    say(to_text({"data": done.data}).rstrip("\n"))
    note("", f"try it:  cnncli init {done.starter}", f"         {_training(done)}")


def _training(done: Fetched) -> str:
    """A command line."""
    path = str(done.folder)
    quoted = path if re.fullmatch(r"[\w./~-]+", path) else json.dumps(path)
    changes = (f"data.source={done.data['source']}", f"data.path={quoted}")
    return " ".join([f"cnncli train --config {done.starter}.yaml", *(f"--set {shlex.quote(each)}" for each in changes)])
