"""Why the network decides as it does: pictures of what counts for a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.look import note_random_weights, note_stand_in
from cnncli.cli.options import Dtype, Input, NetworkOptions, PickOptions, examples
from cnncli.cli.panels import INPUT, OUTPUT
from cnncli.cli.progress import counting
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views.attribution import AttributionBoard

Explained = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="CLASS",
        help="Explain this class's logit, by number or name; by default the predicted class's.",
        rich_help_panel=INPUT,
    ),
]
Sanity = Annotated[
    bool,
    typer.Option(
        "--sanity",
        help="Draw the weights anew from the output down, and tell how much the picture changes.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class ExplainedOptions:
    """What is explained."""

    input_: Input = None
    target: Explained = None
    sanity: Sanity = False


@examples(
    "cnncli visualize saliency --run runs/first --input test:3",
    "cnncli visualize saliency --run runs/first --method smoothgrad --sanity --out pictures",
)
def saliency(
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    method: Annotated[
        Literal["gradient", "input-x-gradient", "smoothgrad"],
        typer.Option("--method", help="The gradient as it is, times the input, or a mean over noisy inputs."),
    ] = "gradient",
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", help="smoothgrad: noisy inputs; by default 50.")
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            "--noise", metavar="SHARE", help="smoothgrad: deviation, as a share of the input's range; by default 0.15."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="smoothgrad: of the noise.")] = 0,
    dtype: Dtype = "float32",
) -> None:
    """Draw which pixels the answer is most sensitive to."""
    _show(cnncli.saliency, network, explained, drawing, dtype, method=method, samples=samples, noise=noise, seed=seed)


@examples("cnncli visualize integrated-gradients --run runs/first --input test:3 --baseline min")
def integrated_gradients(
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="Points on the way from the baseline.")] = 50,
    baseline: Annotated[
        Literal["zeros", "mean", "min"],
        typer.Option("--baseline", help="Zeros, or every channel's own mean or least number."),
    ] = "zeros",
    dtype: Dtype = "float32",
) -> None:
    """Draw what each pixel adds to the answer, from a blank image on."""
    _show(cnncli.integrated_gradients, network, explained, drawing, dtype, steps=steps, baseline=baseline)


@examples("cnncli visualize occlusion --run runs/first --input test:3 --window 5 --stride 1")
def occlusion(
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    window: Annotated[
        int | None,
        typer.Option(
            "--window", metavar="PIXELS", help="Side of what is covered; by default a seventh of the image's."
        ),
    ] = None,
    stride: Annotated[
        int | None, typer.Option("--stride", metavar="PIXELS", help="How far it moves; by default half its side.")
    ] = None,
    value: Annotated[
        float, typer.Option("--value", metavar="X", help="What covers it, a number as the network takes them.")
    ] = 0.0,
    dtype: Dtype = "float32",
) -> None:
    """Draw how the answer falls as parts are covered."""
    _show(cnncli.occlusion, network, explained, drawing, dtype, window=window, stride=stride, value=value)


@examples(
    "cnncli visualize grad-cam --run runs/first --input test:3 --layer conv2",
    "cnncli visualize grad-cam --run runs/first --input test:3 --method hirescam",
)
def grad_cam(
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    method: Annotated[
        Literal["grad-cam", "grad-cam++", "hirescam"],
        typer.Option("--method", help="How the layer's channels are weighted."),
    ] = "grad-cam",
    layer: Annotated[
        str | None,
        typer.Option("--layer", "-l", metavar="NAME", help="Which layer; by default the last that has positions."),
    ] = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw where a layer finds the class."""
    _show(cnncli.grad_cam, network, explained, drawing, dtype, method=method, layer=layer)


@examples(
    "cnncli visualize guided --run runs/first --input test:3 --sanity",
    "cnncli visualize guided --run runs/first --input test:3 --method gates --layer relu1 --top 6",
)
def guided(
    network: NetworkOptions,
    explained: ExplainedOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    method: Annotated[
        Literal["guided", "deconvnet", "gates"],
        typer.Option(
            "--method",
            help="A ReLU lets back what is positive where its input was; or anywhere; or see which blocks what.",
        ),
    ] = "guided",
    dtype: Dtype = "float32",
) -> None:
    """Draw guided backpropagation, the deconvnet, or which ReLU blocks what."""
    if method == "gates":
        _show_gates(network, explained, picked, drawing, dtype)
        return
    if picked != PickOptions():
        raise UsageError("--layer, --channels, --top and --all choose among the gates; add --method gates")
    _show(cnncli.guided, network, explained, drawing, dtype, method=method)


def _show_gates(
    network: NetworkOptions,
    explained: ExplainedOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    dtype: Literal["float32", "float64"],
) -> None:
    from cnncli.api.attribution import gates

    drawing.check()
    if explained.sanity:
        raise UsageError("--sanity compares attributions, and gates are none; leave it out")
    session = network.load(dtype)
    board = gates(session, input=explained.input_, target=explained.target, pick=picked.pick(drawing.out))
    note_random_weights(session)
    note_stand_in(explained.input_, [board.subject.input])
    drawing.present(board)


@examples("cnncli visualize lrp --run runs/first --input test:3 --rule alpha-beta --alpha 1")
def lrp(
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    rule: Annotated[
        Literal["epsilon", "alpha-beta", "z+"],
        typer.Option("--rule", help="How a layer shares the relevance of its outputs out among its inputs."),
    ] = "epsilon",
    epsilon: Annotated[
        float | None,
        typer.Option("--epsilon", metavar="X", help="epsilon: added to what is divided by; by default 1e-9."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            metavar="X",
            help="alpha-beta: the share of what speaks for it; by default 2; beta is alpha - 1.",
        ),
    ] = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw the relevance that flows back to each pixel."""
    _show(cnncli.lrp, network, explained, drawing, dtype, rule=rule, epsilon=epsilon, alpha=alpha)


def _show(
    function: Callable[..., AttributionBoard],
    network: NetworkOptions,
    explained: ExplainedOptions,
    drawing: DrawingOptions,
    dtype: Literal["float32", "float64"],
    **options: object,
) -> None:
    """The pictures, and below them how much they change as the weights are drawn anew."""
    drawing.check()
    session = network.load(dtype)
    with counting() as progress:
        board = function(
            session,
            input=explained.input_,
            target=explained.target,
            sanity=explained.sanity,
            progress=progress,
            **options,
        )
    note_random_weights(session)
    note_stand_in(explained.input_, [each.input for each in board.inputs])
    drawing.present(board)
    if board.sanity and not drawing.json:
        from cnncli.cli.output import show
        from cnncli.render.terminal.randomization import randomization

        show(*([""] if drawing.out else []), randomization(board.sanity))
