"""The options that several commands share, one by one and in groups, for their signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

import cnncli
from cnncli.cli.panels import COMPUTING, INPUT, NETWORK, OUTPUT
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.api.session import Session
    from cnncli.inspection.views.pick import Pick

F = TypeVar("F", bound=Callable[..., None])

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
ReplayStep = Annotated[
    int | None,
    typer.Option(
        "--step",
        min=1,
        metavar="N",
        help="With --train-mode: the dropout masks of training step N; by default the first.",
        rich_help_panel=INPUT,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="CLASS",
        help="The true class, by number or name (0,2: several); one for each input.",
        rich_help_panel=INPUT,
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
Split = Annotated[
    Literal["train", "val", "test"] | None,
    typer.Option("--split", help="Which samples; by default test, else val, else train.", rich_help_panel=INPUT),
]
AllSamples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        metavar="N",
        help="So many, evenly spread over the split; by default all.",
        rich_help_panel=INPUT,
    ),
]
SomeSamples = Annotated[
    int,
    typer.Option("--samples", min=1, metavar="N", help="So many, evenly spread over the split.", rich_help_panel=INPUT),
]
ManySamples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        metavar="N",
        help="Numbers, and dead units, over N samples of the held-out split; pictures of the first.",
        rich_help_panel=INPUT,
    ),
]
Values = Annotated[bool, typer.Option("--values", help="Print small tensors as numbers.", rich_help_panel=OUTPUT)]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="F.npz", help="Write every array to this NPZ file.", rich_help_panel=OUTPUT),
]
Pictures = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write PNG pictures here.", rich_help_panel=OUTPUT)
]

Channels = Annotated[
    str | None, typer.Option("--channels", metavar="LIST", help="Which channels, as 0,3,8-10.", rich_help_panel=OUTPUT)
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=1,
        metavar="K",
        help="How many channels: the strongest; by default some, with --out more.",
        rich_help_panel=OUTPUT,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All channels, in their order.", rich_help_panel=OUTPUT)]

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


@dataclass(frozen=True)
class NetworkOptions:
    """Which network, and on how many processes it is run."""

    config: Config = None
    run: Run = None
    checkpoint: Checkpoint = None
    set_: Set = None
    workers: Workers = None

    def load(self, dtype: Literal["float32", "float64"] = "float32") -> Session:
        """It, with its weights. Raises what `cnncli.load` does."""
        return cnncli.load(
            self.config,
            run=self.run,
            checkpoint=self.checkpoint,
            set=self.set_ or [],
            workers=self.workers,
            dtype=dtype,
        )


@dataclass(frozen=True)
class InputOptions:
    """What the network is shown, and how it behaves."""

    input_: Input = None
    train_mode: TrainMode = False


@dataclass(frozen=True)
class ObjectiveOptions:
    """What is differentiated: the loss, if nothing else is said."""

    label: Label = None
    target: Target = None
    upstream: Upstream = None


@dataclass(frozen=True)
class PickOptions:
    """Which layers are drawn, and which of their channels."""

    layer: LayerNames = None
    channels: Channels = None
    top: Top = None
    every: All = False

    def pick(self, out: Path | None, default: tuple[int, int] = (12, 64)) -> Pick:
        """The choice; `default` are the numbers of channels in the terminal and in files. Raises UsageError."""
        from cnncli.inspection.views.pick import Pick, parse_channels

        if (self.channels is not None) + (self.top is not None) + self.every > 1:
            raise UsageError("--channels, --top and --all each say which channels; give one of them")
        chosen = () if self.channels is None else parse_channels(self.channels)
        return Pick(tuple(self.layer or ()), chosen, None if self.every else self.top or default[out is not None])


def examples(*lines: str) -> Callable[[F], F]:
    """Decorates the function of a command: its help ends with these lines."""

    def decorate(function: F) -> F:
        function.epilog = "\n\n".join(["Examples:", *(f"  {line}" for line in lines)])  # type: ignore[attr-defined]
        return function

    return decorate
