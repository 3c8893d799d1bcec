"""The command tree, in the order in which a user meets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import cnncli
from cnncli.cli.commands import Command, Group, filled, group, help_without_command

HELP = "Train a convolutional network from a YAML file on an ordinary CPU, and see every number that flows through it."
EPILOG = "Start with:  cnncli init fashion  and then  cnncli train --config fashion.yaml"

START, TRAIN, LOOK = "Start", "Train", "Look inside"
NUMBERS, REASONS, LEARNT, TRAINED = "The numbers", "Why this answer", "What was learnt", "How it was learnt"

COMMANDS = (
    Command("init", "init:init", "List the starter networks, or write some of them here.", START),
    Command("summary", "summary:summary", "Show each layer's shape, parameters, work and receptive field.", START),
    group(
        "config",
        "Show a configuration with everything resolved, or the schema.",
        Command("show", "config:show", "Print a configuration as YAML with every name, input and default written out."),
        Command(
            "schema",
            "config:schema",
            "Print the JSON Schema of configurations, for an editor to complete and check them.",
        ),
        panel=START,
    ),
    group(
        "data",
        "Look at the data, check them, or fetch a well-known set.",
        Command("show", "data.show:show", "Draw samples as the network gets them, augmented and with their labels."),
        Command("check", "data.check:check", "Read every sample and tell what is wrong with the data."),
        Command("fetch", "data.fetch:fetch", "Download MNIST, Fashion-MNIST or CIFAR-10, checked and resumable."),
        panel=START,
    ),
    Command("sanity", "sanity:sanity", "Prove on this network and this data that training works.", TRAIN),
    Command("find-lr", "find_lr:find_lr", "Find a learning rate: raise it step by step and watch the loss.", TRAIN),
    Command("train", "train:train", "Train a network, watching it learn, and keep its best weights.", TRAIN),
    Command("eval", "eval:evaluate", "Measure a trained network on a split of its data.", TRAIN),
    Command("predict", "predict:predict", "Tell the most probable classes of images.", TRAIN),
    group(
        "runs",
        "List trainings with their results, or compare some.\n\nWithout a command it is that of list.",
        Command("list", "runs.listing:runs", "List the runs of a folder, with what each came to."),
        Command("compare", "runs.compare:compare", "Show runs side by side: configuration, results and curves."),
        panel=TRAIN,
        default="list",
    ),
    Command("forward", "forward:forward", "Show what flows forward: each layer's output, then the classes.", LOOK),
    Command("backward", "backward:backward", "Show what flows back: the gradients of outputs and parameters.", LOOK),
    Command("trace", "trace:trace", "Show the arithmetic of one number, forward or backward.", LOOK),
    Command("gradcheck", "gradcheck:gradcheck", "Prove that the gradients are right, tensor by tensor.", LOOK),
    Command("bench", "bench:bench", "Measure the speed of training and of inference, and the memory.", LOOK),
    group(
        "visualize",
        "Draw what is inside a network, in the terminal or as PNG.\n\n"
        "What is longer than the terminal goes through $PAGER, or less; PAGER=cat shows all of it at once.",
        Command("architecture", "visualize.architecture:architecture", "Draw the network, with shapes.", NUMBERS),
        Command("feature-maps", "visualize.panels:feature_maps", "Draw what each layer makes of an image.", NUMBERS),
        Command("filters", "visualize.panels:filters", "Draw the weights.", NUMBERS),
        Command(
            "gradients",
            "visualize.panels:gradients",
            "Draw the gradient of each layer's output and of the weights.",
            NUMBERS,
        ),
        Command(
            "histograms",
            "visualize.histograms:histograms",
            "Draw how weights, activations and gradients are distributed.",
            NUMBERS,
        ),
        Command(
            "step",
            "visualize.step:step",
            "Draw what one step of the optimizer changes, against what the gradient promised.",
            NUMBERS,
        ),
        Command(
            "saliency", "visualize.attribution:saliency", "Draw which pixels the answer is most sensitive to.", REASONS
        ),
        Command(
            "integrated-gradients",
            "visualize.attribution:integrated_gradients",
            "Draw what each pixel adds to the answer, from a blank image on.",
            REASONS,
        ),
        Command("grad-cam", "visualize.attribution:grad_cam", "Draw where a layer finds the class.", REASONS),
        Command(
            "guided",
            "visualize.attribution:guided",
            "Draw guided backpropagation, the deconvnet, or which ReLU blocks what.",
            REASONS,
        ),
        Command(
            "occlusion", "visualize.attribution:occlusion", "Draw how the answer falls as parts are covered.", REASONS
        ),
        Command("lrp", "visualize.attribution:lrp", "Draw the relevance that flows back to each pixel.", REASONS),
        Command(
            "activation-max",
            "visualize.activation_max:activation_max",
            "Draw an image that a channel would like best, beside the sample that it likes best.",
            LEARNT,
        ),
        Command(
            "patches", "visualize.patches:patches", "Draw the parts of the data that excite a channel most.", LEARNT
        ),
        Command("embedding", "visualize.embedding:embedding", "Draw how a layer spreads the samples.", LEARNT),
        Command("confusion", "visualize.confusion:confusion", "Draw which classes are taken for which.", LEARNT),
        Command("mistakes", "visualize.mistakes:mistakes", "Draw the samples with the largest loss.", LEARNT),
        Command("curves", "visualize.curves:curves", "Draw how the loss and the metrics of a training went.", TRAINED),
        Command(
            "evolution", "visualize.evolution:evolution", "Draw how maps and filters changed in a training.", TRAINED
        ),
        panel=LOOK,
    ),
)
"""Each with the function that it is, which is imported when the command is called, and the first line of its help."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cnncli {cnncli.__version__}")
        raise typer.Exit


def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    help_without_command(context)


def command_tree() -> Group:
    """`cnncli` itself, with all the commands."""
    app = typer.Typer(cls=Group, context_settings={"help_option_names": ["--help", "-h"]})
    app.callback(invoke_without_command=True, help=HELP, epilog=EPILOG)(_start)
    return filled(app, *COMMANDS)


def invoke(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code. Exceptions are let through, but for Ctrl-C, which is 130."""
    return command_tree().main(list(arguments), prog_name="cnncli", standalone_mode=False) or 0
