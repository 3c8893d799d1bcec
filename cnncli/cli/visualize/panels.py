"""The tensors themselves: feature maps, filters, gradients."""

from __future__ import annotations

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.look import note_random_weights, note_stand_in
from cnncli.cli.options import (
    Dtype,
    InputOptions,
    NetworkOptions,
    ObjectiveOptions,
    PickOptions,
    examples,
)


@examples(
    "cnncli visualize feature-maps --run runs/first --input boot.png",
    "cnncli visualize feature-maps --run runs/first --input boot.png --layer conv1 --top 16 --out pictures",
)
def feature_maps(
    network: NetworkOptions,
    shown: InputOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    dtype: Dtype = "float32",
) -> None:
    """Draw what each layer makes of an image."""
    drawing.check()
    session = network.load(dtype)
    board = cnncli.feature_maps(session, input=shown.input_, pick=picked.pick(drawing.out), train_mode=shown.train_mode)
    note_random_weights(session)
    note_stand_in(shown.input_, [board.subject.input])
    drawing.present(board)


@examples("cnncli visualize filters --run runs/first --layer conv1")
def filters(network: NetworkOptions, picked: PickOptions, drawing: DrawingOptions) -> None:
    """Draw the weights."""
    drawing.check()
    session = network.load()
    board = cnncli.filters(session, pick=picked.pick(drawing.out))
    note_random_weights(session)
    drawing.present(board)


@examples("cnncli visualize gradients --run runs/first --input test:17 --target 9 --out pictures")
def gradients(
    network: NetworkOptions,
    shown: InputOptions,
    objective: ObjectiveOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    dtype: Dtype = "float32",
) -> None:
    """Draw the gradient of each layer's output and of the weights."""
    drawing.check()
    session = network.load(dtype)
    board = cnncli.gradients(
        session,
        input=shown.input_,
        label=objective.label or [],
        target=objective.target,
        upstream=objective.upstream,
        pick=picked.pick(drawing.out),
        train_mode=shown.train_mode,
    )
    note_random_weights(session)
    note_stand_in(shown.input_, [board.subject.input])
    drawing.present(board)
