"""From YAML text to a validated experiment, section by section."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cnncli.config.choice import choose
from cnncli.config.document import compose, place_in, read_text
from cnncli.config.experiment import Experiment
from cnncli.config.network import read_model
from cnncli.config.overrides import apply, label
from cnncli.config.place import Place, Problems
from cnncli.config.translate import validate
from cnncli.config.tree import ListNode, MapNode, ScalarNode, Tree, is_null, plain
from cnncli.config.wording import did_you_mean, shown
from cnncli.data import SOURCES
from cnncli.data.files import locate
from cnncli.data.source import Source
from cnncli.errors import ConfigError, Problem
from cnncli.graph import Graph
from cnncli.losses import LOSSES, Loss
from cnncli.training.optimizers import OPTIMIZERS
from cnncli.training.schedules import SCHEDULES
from cnncli.training.settings import TrainSettings
from cnncli.wording import printable

M = TypeVar("M", bound=BaseModel)

SECTIONS = ("data", "model", "loss", "optimizer", "schedule", "train")
DEFAULTS = {"loss": "cross_entropy", "optimizer": "adam", "schedule": "constant"}
TEXT = "<text>"
"""What stands for the file's name where the configuration is given as text."""

_NAME = re.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Head(BaseModel):
    """What stands beside the sections."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: str | None = Field(None, description="what the run is called; by default the file's name")
    seed: int = Field(0, ge=0, description="start of every random number: the same seed gives the same run")

    @field_validator("name")
    @classmethod
    def _names_a_directory(cls, name: str | None) -> str | None:
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"expected letters, digits, '_', '-' and '.', at most 100, but got {shown(name)}")
        return name


def load(source: str | PathLike[str], overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a YAML file; a `str` with a line break in it is the YAML text itself.

    `overrides` are changes of the form `optimizer.lr=0.01`, made before anything is validated. Relative
    paths in the file start at its directory, those in overrides and in text at the working directory.

    Raises ConfigError with every problem that was found, in the order of the file.
    """
    problems = Problems()
    text: str | None
    if isinstance(source, str) and "\n" in source:
        text, file, directory = source.removeprefix("\ufeff"), TEXT, Path()
    else:
        path = Path(source)
        text, file, directory = read_text(path, problems), printable(path), path.parent
    tree = None if text is None else compose(text, place_in(file), problems)
    experiment = None
    if tree is not None or not problems:
        tree = apply(tree, overrides, DEFAULTS, problems)
        experiment = _read(tree, Place(file, 1, 1), directory, problems)
    if experiment is None or problems:
        raise ConfigError(_in_order(problems, [file, *map(label, overrides)]))
    return experiment


def _in_order(problems: Problems, files: Sequence[str]) -> list[Problem]:
    """Each problem once, in the order of the files and of their lines."""
    once = dict.fromkeys(problems)
    return sorted(once, key=lambda problem: (files.index(problem.file), problem.line or 0, problem.column or 0))


def _read(tree: Tree | None, start: Place, directory: Path, problems: Problems) -> Experiment | None:
    if tree is None or is_null(tree):
        problems.add(start, "the configuration is empty; it needs at least 'model' with input and layers")
        return None
    if not isinstance(tree, MapNode):
        given = shown(plain(tree))
        problems.add(tree.place, f"a configuration is a mapping with the key 'model', but this is {given}")
        return None
    head = validate(Head, tree.without(*SECTIONS), "the configuration", problems, other_keys=SECTIONS)
    data = _read_data(tree, directory, problems)
    graph = _read_graph(tree, problems)
    loss = _read_kind(tree, "loss", LOSSES, problems)
    optimizer = _read_kind(tree, "optimizer", OPTIMIZERS, problems)
    schedule = _read_kind(tree, "schedule", SCHEDULES, problems)
    train = _read_train(tree, directory, problems)
    if graph and loss:
        _check_loss(tree, graph, loss, problems)
    if graph and train:
        _check_frozen(tree, graph, train, problems)
    if problems or not (head and graph and loss and optimizer and schedule and train):
        return None
    return Experiment(head.name or _default_name(start.file), head.seed, data, graph, loss, optimizer, schedule, train)


def _read_graph(tree: MapNode, problems: Problems) -> Graph | None:
    model = tree.get("model")
    if model is None:
        problems.add(tree.place, "the configuration needs 'model': a mapping with input and layers")
        return None
    return read_model(model, problems)


def _read_data(tree: MapNode, directory: Path, problems: Problems) -> Source | None:
    node = tree.get("data")
    chosen = None if node is None else choose(node, SOURCES, "data source", problems, key="source")
    if chosen is None:
        return None
    kind, options = chosen
    source = validate(kind, options, kind.type, problems, other_keys=("source",))
    if source is None:
        return None
    return source.located({key: Path() if _is_override(options, key) else directory for key in source.paths})


def _is_override(options: MapNode, key: str) -> bool:
    return options.entries[key].value.place.line is None


def _read_kind(tree: MapNode, section: str, registry: Mapping[str, type[M]], problems: Problems) -> M | None:
    node = tree.get(section) or ScalarNode(tree.place, DEFAULTS[section])
    chosen = choose(node, registry, section, problems)
    if chosen is None:
        return None
    kind, options = chosen
    return validate(kind, options, getattr(kind, "type", section), problems, other_keys=("type",))


def _check_loss(tree: MapNode, graph: Graph, loss: Loss, problems: Problems) -> None:
    """A softmax over one number is always 1: nothing to learn. A loss that nobody asks for may be anything."""
    output = graph.output
    given = tree.get("loss") or tree.get("data")
    if given is not None and loss.link == "softmax" and output.shape[0] == 1:
        choice = f"{loss.type} chooses between classes, but the network's output '{output.name}' has one"
        problems.add(
            given.place, f"{choice}: {output.shape}; take bce_with_logits or mse, or give it two outputs or more"
        )


def _read_train(tree: MapNode, directory: Path, problems: Problems) -> TrainSettings | None:
    node = tree.get("train") or MapNode(tree.place, {})
    if not isinstance(node, MapNode):
        problems.add(node.place, f"'train' must be a mapping, as in {{epochs: 5}}, but is {shown(plain(node))}")
        return None
    settings = validate(TrainSettings, node, "train", problems)
    if settings is None or settings.weights is None:
        return settings
    base = Path() if _is_override(node, "weights") else directory
    return settings.model_copy(update={"weights": locate(base, settings.weights)})


def _check_frozen(tree: MapNode, graph: Graph, train: TrainSettings, problems: Problems) -> None:
    """Every pattern of `freeze` means a layer."""
    section = tree.get("train")
    given = section.get("freeze") if isinstance(section, MapNode) else None
    if not isinstance(given, ListNode):
        return
    names = [node.name for node in graph.nodes]
    for pattern, item in zip(train.freeze, given.items, strict=True):
        if not any(fnmatchcase(name, pattern) for name in names):
            problems.add(item.place, f"there is no layer {shown(pattern)} to freeze{did_you_mean(pattern, names)}")


def _default_name(file: str) -> str:
    """The file's name without its ending, as far as it may be in a name."""
    stem = "" if file == TEXT else Path(file).stem
    return re.sub(r"[^A-Za-z0-9_.-]", "-", stem).lstrip(".-")[:100] or "experiment"
