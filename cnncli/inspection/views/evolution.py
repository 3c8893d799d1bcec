"""How maps and filters changed while a network learnt: a film of each tensor, and its pictures as a strip.

A strip has a row for each channel and a column for each step that is shown; a row has one scale through the whole film.
A vector has no room for that: it is one picture, the steps from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.statistics import as_maps, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.panels import filter_row
from cnncli.inspection.views.pick import Pick
from cnncli.wording import channel_name, shape_text

if TYPE_CHECKING:
    from cnncli.graph import Model

Array = NDArray[Any]

Of = Literal["activations", "filters", "gradients"]
OF: Mapping[str, Of] = {"activation": "activations", "parameter": "filters", "gradient": "gradients"}
"""By what the names of the arrays of a frame begin with."""


@dataclass(frozen=True, eq=False)
class Film:
    """One tensor, of one input or of the network itself, at every step that was watched."""

    index: int
    """The place of its layer in the network; the input has 0."""
    node: str
    type: str
    what: str
    """"activation", "gradient", "weight"."""
    shape: tuple[int, ...]
    """Of the whole tensor."""
    subject: Subject
    """The input; nameless for filters."""
    steps: tuple[int, ...]
    """After how many updates each frame was taken."""
    names: tuple[str, ...]
    """Of the channels that are shown: c07; empty texts for what has no channels."""
    frames: Array
    """(T, C, H, W), or (T, C, K, h, w) for filters of several maps; a vector is (T, 1, 1, F)."""
    notes: tuple[str, ...] = ()

    @property
    def is_vector(self) -> bool:
        """Without channels and places."""
        return self.frames.shape[1:-1] == (1, 1)

    @property
    def signed(self) -> bool:
        """Blue, white at 0, red."""
        return self.what != "activation" or bool((self.frames < 0).any())

    @property
    def title(self) -> tuple[str, ...]:
        """The layer, its type, what of it, the shape."""
        return tuple(dict.fromkeys([self.node, self.type, self.what, shape_text(self.shape)]))

    @property
    def stem(self) -> str:
        """What its files are called, without their ending."""
        of_input = f"_{self.subject.input.replace(':', '')}" if self.subject.input else ""
        return layer_stem(self.index, self.node, self.what) + of_input


@dataclass(frozen=True, eq=False)
class Evolution:
    """The strips, and the whole films that they are from."""

    board: Board
    films: tuple[Film, ...]


def films(
    model: Model,
    frames: Mapping[int, Mapping[str, Array]],
    subjects: Sequence[Subject],
    pick: Pick,
) -> Iterator[Film]:
    """Of the arrays at each step, whose names are as for `node_of`, in the order of the network.

    Of values there is one film for each of the subjects. What has no channel of `pick` is left out; the strongest
    channels are those that are so at the end.
    """
    steps = tuple(frames)
    for key in sorted(frames[steps[-1]], key=lambda key: model.graph.place(node_of(key))):
        name = node_of(key)
        node = model.graph.by_name.get(name)
        for found in _tensors(model, key, [frame[key] for frame in frames.values()], subjects):
            channels = pick.of(found.maps[-1]) if found.has_channels else (0,)
            if channels:
                yield Film(
                    index=model.graph.place(name),
                    node=name,
                    type=node.layer.type if node else INPUT,
                    what=found.what,
                    shape=found.shape,
                    subject=found.subject,
                    steps=steps,
                    names=tuple(found.name(channel) for channel in channels),
                    frames=found.maps[:, list(channels)],
                    notes=found.left_out(len(channels), pick),
                )


@dataclass(frozen=True, eq=False)
class _Tensor:
    """All that was kept of one tensor."""

    what: str
    shape: tuple[int, ...]
    subject: Subject
    maps: Array  # (T, C, H, W) or (T, C, K, h, w)
    kept: int
    """How many channels, or rows of a matrix, there are in the frames."""
    has_channels: bool

    def name(self, channel: int) -> str:
        return channel_name(channel, self.shape[0]) if self.has_channels else ""

    def left_out(self, shown: int, pick: Pick) -> tuple[str, ...]:
        """Which channels are not seen, and why."""
        notes = []
        if self.has_channels and shown < self.kept:
            order = "" if pick.channels else ", the strongest at the end first"
            notes.append(f"{shown} of {self.kept} channels{order}")
        if self.kept < self.shape[0]:
            notes.append(f"the first {self.kept} of {self.shape[0]} channels were kept")
        return tuple(notes)


def _tensors(model: Model, key: str, arrays: Sequence[Array], subjects: Sequence[Subject]) -> Iterator[_Tensor]:
    """From one array at every step: weights, or the values of each input."""
    name = node_of(key)
    if key.startswith("parameter/"):
        what = key.rpartition(".")[2]
        rows = [filter_row(0, model.graph, model.graph.by_name[name], what, each, Pick(top=None)) for each in arrays]
        maps = np.stack([np.stack([tile.values for tile in row.tiles]) for row in rows])
        shape, has_channels = model.parameters[name][what].shape, bool(rows[0].channels)
        yield _Tensor(what, shape, Subject(""), maps, len(arrays[0]), has_channels)
        return
    shape = model.graph.shape_of(name)
    for sample, subject in enumerate(subjects):
        maps = np.stack([as_maps(array[sample]) for array in arrays])
        kept, has_channels = arrays[0].shape[1], len(shape) == 3 and shape[1:] != (1, 1)
        yield _Tensor(key.partition("/")[0], shape, subject, maps, kept, has_channels)


def node_of(key: str) -> str:
    """The layer that an array is of: activation/<node>, gradient/<node>, parameter/<node>.<key>."""
    kind, _, name = key.partition("/")
    return name.rpartition(".")[0] if kind == "parameter" else name


def strips(films: Iterable[Film], subject: Subject, columns: int) -> Board:
    """With at most so many steps of each film, evenly chosen, the first and the last among them.

    `subject`: all inputs together; with one, the films need not say which they are of.
    """
    return Board("evolution", subject, tuple(_strip(film, columns, subject) for film in films))


def _strip(film: Film, columns: int, subject: Subject) -> Sheet:
    count = len(film.steps)
    shown = np.unique(np.linspace(0, count - 1, min(columns, count)).round().astype(int)).tolist()
    whole = Row((), film.what, (), film.node, film.type, film.index, film.shape, film.signed)
    if film.is_vector:
        label = f"steps {film.steps[0]:,} to {film.steps[-1]:,}, downwards"
        picture = film.frames[:, 0, 0]  # (T, F)
        rows = [replace(whole, tiles=(Tile(label, picture),), statistics=statistics(picture), array=picture)]
    else:
        rows = []
        for channel, name in enumerate(film.names):
            values = film.frames[:, channel]
            tiles = tuple(Tile(f"step {film.steps[frame]:,}", values[frame]) for frame in shown)
            title = (name,) if name else ()
            of = replace(whole, scale_of=f"channel {name}") if name else whole
            rows.append(replace(of, title=title, tiles=tiles, statistics=statistics(values), array=values))
    notes = list(film.notes)
    if film.is_vector and count > 1:
        notes.append("one scale for all steps")
    elif len(shown) < count:
        notes.append(f"{len(shown)} of {count} frames")
    if film.what == "gradient":
        notes.append(f"gradient of the {film.subject.target}")
    about = None if film.subject.input == subject.input else replace(film.subject, target=None)
    return Sheet(film.stem, tuple(rows), film.title, about, tuple(notes))
