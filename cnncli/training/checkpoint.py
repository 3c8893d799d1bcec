"""Weights and the state of a training as safetensors files: data only, no code is run on loading.

A weights file holds `Model.state_dict()`: PyTorch's `load_state_dict(strict=True)` takes it, and cnncli takes
files that were written there. Its header says under "cnncli", as JSON, which version wrote it and which layers it
belongs to.

A state file holds all that a training goes on from.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cnncli import __version__
from cnncli.errors import CheckpointError
from cnncli.files import write_atomic
from cnncli.graph import Model, flat_views
from cnncli.training.health import Update
from cnncli.training.history import Record
from cnncli.training.pace import Pace
from cnncli.wording import one_of, printable

Array = NDArray[Any]

METADATA = "cnncli"
"""The one key of a header's metadata that is ours: one, because the library writes several in random order."""

_LONGEST = 300
"""Characters of a line that holds names out of a file."""

ACCEPTED = {"f": ("F16", "F32", "F64"), "i": ("I64", "I32")}
"""What may be in a file, by the kind of the network's own array: parameters and statistics, counters."""


_COUNTS = ("updates", "step", "epochs", "batches")


@dataclass(frozen=True)
class TrainingState:
    """All that it takes to go on with a training as if it had never stopped, but for the weights of its best moment,
    which have a file of their own.

    No random state is needed: the order of the samples and their augmentation follow from (seed, epoch, batch), dropout
    from (seed, batch), and the learning rate from the step and the history.
    """

    data: dict[str, list[int]]  # of each split: how many samples, and a checksum of their targets
    optimizer: dict[str, Any]  # its type and options
    updates: int  # made with these slots
    step: int  # updates made altogether
    epochs: int  # finished
    batches: int  # of the unfinished epoch, that are done
    totals: dict[str, Any]  # their metrics so far, `Totals.to_json`
    pace: Pace
    history: tuple[Record, ...]
    warned: tuple[str, ...]  # kinds of warnings that have been given
    weights: dict[str, Array]  # as Model.state_dict
    slots: dict[str, Array]  # of the optimizer, flat, laid out as Model.flat
    average: Array | None  # the moving average of the weights, likewise; None without one, or before the first update
    last_update: Update | None  # of an epoch


def save_weights(path: Path, model: Model, details: Mapping[str, Any] | None = None) -> None:
    """Writes the model's parameters and buffers; `details` (plain data) go into the header.

    Raises OutputError.
    """
    layers = [[node.name, node.layer.type, list(node.shape)] for node in model.graph.nodes]
    about = {"input": list(model.graph.input_shape), "layers": layers, **(details or {})}
    _write(path, model.state_dict(), about)


def load_weights(path: Path, model: Model) -> None:
    """Copies the weights in the file into the model, converted to its precision; all or none.

    Raises CheckpointError if the file cannot be read, or does not fit: then with every key that differs.
    """
    with _opened(path) as stored:
        _check_kinds(path, stored.tensors, model)
        _load(path, stored.tensors, model)


@dataclass(frozen=True)
class Adopted:
    """What a network has taken of somebody else's weights."""

    taken: tuple[str, ...]
    left: tuple[str, ...]  # why each of the others is as it was: `classes.weight: shape (10, 64) in the file, ...`


def adopt_weights(path: Path, model: Model) -> Adopted:
    """Copies what has the same name and shape in the file; the model keeps its own numbers elsewhere.

    Raises CheckpointError if the file cannot be read, or nothing fits.
    """
    with _opened(path) as stored:
        _check_kinds(path, stored.tensors, model)
        mine = model.state_dict()
        shapes = {key: tensor.shape for key, tensor in stored.tensors.items()}
        taken = tuple(key for key, array in mine.items() if shapes.get(key) == array.shape)
        left = [
            f"{key}: shape {shapes[key]} in the file, {array.shape} in the network"
            if key in shapes
            else f"{key}: not in the file"
            for key, array in mine.items()
            if shapes.get(key) != array.shape
        ]
        if not taken:
            listed = ", ".join(list(shapes)[:5]) + (", ..." if len(shapes) > 5 else "") or "nothing"
            raise CheckpointError(
                f"{path}: no tensor has the name and the shape of one of the network's, such as"
                f" {next(iter(mine), 'none')}; the file holds {listed}; rename the layers, or leave train.weights out"
            )
        with np.errstate(over="ignore"):
            for key in taken:
                mine[key][...] = cast(Array, stored.tensors[key])
        return Adopted(taken, (*left, *(f"{key}: not part of the network" for key in shapes if key not in mine)))


def read_weights(path: Path, model: Model) -> dict[str, Array]:
    """The weights in the file, as `Model.state_dict` has them, in the model's precision; the model stays as it is.

    Raises CheckpointError as `load_weights`.
    """
    other = copy.deepcopy(model)
    load_weights(path, other)
    return other.state_dict()


def state_precision(path: Path) -> Literal["float32", "float64"]:
    """In which precision a training computed whose state this is. Raises CheckpointError."""
    with _opened(path) as stored:
        kinds = {tensor.kind for key, tensor in stored.tensors.items() if key.startswith("weights.")}
        return "float64" if "F64" in kinds else "float32"


def read_details(path: Path) -> dict[str, Any]:
    """What `save_weights` was given as `details`, beside the network. Raises CheckpointError."""
    with _opened(path) as stored:
        return stored.about


def save_state(path: Path, state: TrainingState, model: Model) -> None:
    """Writes everything into one file, so that its parts cannot be of different steps. Raises OutputError."""
    tensors = {f"weights.{key}": array for key, array in state.weights.items()}
    flats = {f"optimizer.{slot}": flat for slot, flat in state.slots.items()}
    if state.average is not None:
        flats["average"] = state.average
    for prefix, flat in flats.items():
        for node, views in flat_views(flat, model.parameters).items():
            tensors.update({f"{prefix}.{node}.{key}": view for key, view in views.items()})
    about = {
        "data": state.data,
        "optimizer": state.optimizer,
        **{key: getattr(state, key) for key in _COUNTS},
        "totals": state.totals,
        "pace": asdict(state.pace),
        "history": [record.to_json() for record in state.history],
        "warned": state.warned,
        "last_update": None if state.last_update is None else asdict(state.last_update),
    }
    _write(path, tensors, about)


def load_state(path: Path, model: Model) -> TrainingState:
    """Reads what `save_state` wrote, and copies the weights into the model.

    Raises CheckpointError if the file cannot be read, is no training state, or is one of another network.
    """
    with _opened(path) as stored:
        try:
            known = _known(stored.about)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CheckpointError(
                f"{path}: holds no state of a training; expected the last.state.safetensors of a run directory"
            ) from None
        weights = _part(stored.tensors, "weights.")
        _check_kinds(path, weights, model)
        slots = {}
        for slot in sorted({key.split(".")[1] for key in stored.tensors if key.startswith("optimizer.")}):
            slots[slot] = _flat(path, _part(stored.tensors, f"optimizer.{slot}."), model)
        average = _part(stored.tensors, "average.")
        flat = _flat(path, average, model) if average else None
        _load(path, weights, model)
        return TrainingState(**known, weights=model.state_dict(), slots=slots, average=flat)


def _known(about: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a state besides its arrays. Raises KeyError, TypeError, ValueError or AttributeError if they are
    something else."""
    counts = {key: about[key] for key in _COUNTS}
    totals, update = about["totals"], about["last_update"]
    if not all(type(count) is int and count >= 0 for count in (*counts.values(), totals["samples"])):
        raise ValueError
    {name: np.array(values, np.float64) for name, values in totals["sums"].items()}  # whether they are numbers
    float(totals["loss"])
    return {
        **counts,
        "totals": totals,
        "data": {str(name): list(found) for name, found in about["data"].items()},
        "optimizer": dict(about["optimizer"]),
        "pace": Pace(**{key: type(getattr(Pace(), key))(value) for key, value in about["pace"].items()}),
        "history": tuple(Record.from_json(record) for record in about["history"]),
        "warned": tuple(map(str, about["warned"])),
        "last_update": None if update is None else Update(**{key: dict(norms) for key, norms in update.items()}),
    }


def _write(path: Path, tensors: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    arrays = {key: np.asarray(array, order="C") for key, array in tensors.items()}
    write_atomic(path, save(arrays, {METADATA: json.dumps({"version": __version__, **about})}))


class _Tensor:
    """One array of an open file: its shape and type are known, its numbers are read where they are used."""

    def __init__(self, file: Any, key: str) -> None:
        piece = file.get_slice(key)
        self.file = file
        self.key = key
        self.shape: tuple[int, ...] = tuple(piece.get_shape())
        self.kind: str = piece.get_dtype()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self.file.get_tensor(self.key), dtype)


@dataclass(frozen=True)
class _Stored:
    """An open file whose header has been checked: every array lies within the file, and nothing else does."""

    tensors: dict[str, _Tensor]
    about: dict[str, Any]


@contextmanager
def _opened(path: Path) -> Iterator[_Stored]:
    if path.is_dir():
        raise CheckpointError(f"{path}: is a directory; expected a .safetensors file (or give the directory as --run)")
    try:
        with safe_open(path, framework="np") as file:
            about = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            yield _Stored({key: _Tensor(file, key) for key in file.keys()}, about)  # noqa: SIM118 - no mapping
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: is damaged or no safetensors file: {_reason(error)}; expected weights saved by cnncli,"
            " or by safetensors.torch.save_file(model.state_dict(), ...)"
        ) from None


def _reason(error: Exception) -> str:
    """The library's words; what comes from the file may be anything."""
    return _shown(str(error).removeprefix("Error while deserializing header: "))


def _shown(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def _part(tensors: Mapping[str, _Tensor], prefix: str) -> dict[str, _Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _check_kinds(path: Path, tensors: Mapping[str, _Tensor], model: Model) -> None:
    wrong = []
    for key, array in model.state_dict().items():
        accepted = ACCEPTED[array.dtype.kind]
        if key in tensors and tensors[key].kind not in accepted:
            wrong.append(f"{key}: numbers of type {tensors[key].kind}; expected {one_of(accepted)}")
    if wrong:
        raise CheckpointError(f"{path}: the numbers cannot be used; save them as float32:\n  " + "\n  ".join(wrong))


def _load(path: Path, tensors: Mapping[str, _Tensor], model: Model) -> None:
    try:
        with np.errstate(over="ignore"):
            model.load_state_dict(cast("Mapping[str, Array]", tensors))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: " + "\n".join(map(_shown, str(error).split("\n")))) from None


def _flat(path: Path, tensors: Mapping[str, _Tensor], model: Model) -> Array:
    """One slot of the optimizer as a flat array, laid out as `Model.flat`."""
    flat = np.empty_like(model.flat)
    for node, views in flat_views(flat, model.parameters).items():
        for key, view in views.items():
            tensor = tensors.get(f"{node}.{key}")
            if tensor is None or tensor.shape != view.shape:
                raise CheckpointError(f"{path}: the optimizer's state for {node}.{key} is missing or has another shape")
            view[...] = tensor
    return flat
