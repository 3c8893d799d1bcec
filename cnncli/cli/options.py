"""The options that several commands share, as types for their signatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

if TYPE_CHECKING:
    from cnncli.api.session import SessionOptions

F = TypeVar("F", bound=Callable[..., None])

NETWORK = "Network"
INPUT = "Input"
OUTPUT = "Output"
COMPUTING = "Computing"

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The network's YAML file.", rich_help_panel=NETWORK),
]
Run = Annotated[
    Path | None,
    typer.Option(
        "--run", "-r", metavar="DIR", help="A trained run: its configuration and best weights.", rich_help_panel=NETWORK
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", help="Other weights (.safetensors).", rich_help_panel=NETWORK),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="KEY=VALUE",
        help="Change a setting, as train.epochs=3; repeatable.",
        rich_help_panel=NETWORK,
    ),
]

Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="WHAT",
        help="An image, train:17, val:17, test:17, or a .npy, .npz or text file of numbers; repeatable.",
        rich_help_panel=INPUT,
    ),
]
TrainMode = Annotated[
    bool,
    typer.Option("--train-mode", help="Batch norm and dropout behave as in training.", rich_help_panel=INPUT),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="CLASS", help="The true class, by number or name; one for each input.", rich_help_panel=INPUT
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="CLASS",
        help="Differentiate this class's logit, by number or name, instead of the loss.",
        rich_help_panel=INPUT,
    ),
]
Upstream = Annotated[
    Path | None,
    typer.Option(
        "--upstream",
        metavar="FILE",
        help="Start from this gradient of the output (.npy, .npz or text) instead of the loss.",
        rich_help_panel=INPUT,
    ),
]

Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as one JSON document, and nothing else.", rich_help_panel=OUTPUT),
]
LayerNames = Annotated[
    list[str] | None,
    typer.Option("--layer", "-l", metavar="NAME", help="Only this layer; repeatable.", rich_help_panel=OUTPUT),
]
Values = Annotated[bool, typer.Option("--values", help="Print small tensors as numbers.", rich_help_panel=OUTPUT)]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="F.npz", help="Write every array to this NPZ file.", rich_help_panel=OUTPUT),
]
Pictures = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write PNG pictures here.", rich_help_panel=OUTPUT)
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", "-w", min=1, metavar="N", help="Processes; by default one a core.", rich_help_panel=COMPUTING
    ),
]
Dtype = Annotated[
    Literal["float32", "float64"],
    typer.Option("--dtype", help="Precision.", rich_help_panel=COMPUTING),
]


def network(
    config: Path | None,
    run: Path | None,
    checkpoint: Path | None,
    changes: list[str] | None,
    workers: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
) -> SessionOptions:
    """The options above that say which network, as the functions of `cnncli` take them."""
    return {
        "config": config,
        "run": run,
        "checkpoint": checkpoint,
        "set": changes or [],
        "workers": workers,
        "dtype": dtype,
    }


def examples(*lines: str) -> Callable[[F], F]:
    """Decorates the function of a command: its help ends with these lines."""

    def decorate(function: F) -> F:
        function.epilog = "\n\n".join(["Examples:", *(f"  {line}" for line in lines)])  # type: ignore[attr-defined]
        return function

    return decorate
