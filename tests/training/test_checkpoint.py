"""Weights and training states go to files and back; damaged files are explained."""

from __future__ import annotations

import json
import re
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save, save_file

from cnncli import __version__
from cnncli.errors import CheckpointError, OutputError
from cnncli.graph import Model
from cnncli.training.checkpoint import TrainingState, load_state, load_weights, save_state, save_weights
from cnncli.training.health import Update
from cnncli.training.history import Record
from cnncli.training.metrics import Scores
from cnncli.training.pace import Pace

from .networks import convnet, sequence, weights_of

needs_torch = pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")


def model(seed: int) -> Model:
    made = Model.create(convnet(), seed)
    rng = np.random.default_rng(seed)
    for buffers in made.buffers.values():
        for array in buffers.values():
            array[...] = rng.integers(1, 9, array.shape)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


def test_round_trip(path: Path) -> None:
    one, other = model(1), model(2)
    save_weights(path, one, {"epoch": 3})
    load_weights(path, other)
    assert weights_of(one) == weights_of(other)
    stored = load_file(path)
    assert set(stored) == set(one.state_dict())
    assert stored["batch_norm1.num_batches_tracked"].dtype == np.int64
    assert stored["batch_norm1.num_batches_tracked"].shape == ()


def test_the_same_weights_are_the_same_bytes(path: Path) -> None:
    files = set()
    for _ in range(5):
        save_weights(path, model(1), {"epoch": 3, "step": 4})
        files.add(path.read_bytes())
    assert len(files) == 1


def test_the_header_tells_where_it_comes_from(path: Path) -> None:
    save_weights(path, model(1), {"epoch": 3})
    size = struct.unpack("<Q", path.read_bytes()[:8])[0]
    about = json.loads(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["cnncli"])
    assert about["version"] == __version__
    assert about["epoch"] == 3
    assert about["input"] == [1, 6, 6]
    assert about["layers"][0] == ["conv2d0", "conv2d", [4, 4, 4]]


@needs_torch
def test_pytorch_takes_the_weights_with_strict_names_and_gives_them_back(path: Path) -> None:
    import torch
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    def twin() -> torch.nn.Module:
        module = torch.nn.Module()
        module.conv2d0 = torch.nn.Conv2d(1, 4, 3, bias=False)
        module.batch_norm1 = torch.nn.BatchNorm2d(4)
        module.linear6 = torch.nn.Linear(16, 3)
        return module

    ours = model(1)
    save_weights(path, ours)
    theirs = twin()
    theirs.load_state_dict(load_torch(path), strict=True)
    for key, tensor in theirs.state_dict().items():
        assert np.array_equal(tensor.numpy(), ours.state_dict()[key]), key
    fresh = twin()
    save_torch(fresh.state_dict(), path)
    load_weights(path, ours)
    for key, tensor in fresh.state_dict().items():
        assert np.array_equal(tensor.numpy(), ours.state_dict()[key]), key


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_other_precisions_are_converted(path: Path, dtype: type) -> None:
    state = model(1).state_dict()
    save_file({key: array.astype(dtype) if array.dtype.kind == "f" else array for key, array in state.items()}, path)
    other = model(2)
    load_weights(path, other)
    for key, array in other.state_dict().items():
        assert np.array_equal(array, state[key].astype(dtype).astype(array.dtype)), key
        assert array.dtype == state[key].dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_in_double_precision_takes_and_gives_weights(path: Path, dtype: str) -> None:
    one, other = model(1).astype("float64"), model(2).astype(dtype)
    save_weights(path, one)
    load_weights(path, other)
    np.testing.assert_allclose(one.flat, other.flat, rtol=1e-7)
    assert other.flat.dtype == dtype


def changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A weights file whose tensors were changed."""
    state = dict(model(1).state_dict())
    change(state)
    return save(state)


def raw(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape: list[int], start: int = 0, stop: int = 4, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


GOOD = changed(lambda state: None)
CONV = "conv2d0.weight"

BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "damaged or no safetensors file: header too small"),
    "few bytes": (b"PK\3", "damaged or no safetensors file: header too small"),
    "a pickle": (b"\x80\x04" + b"x" * 100, "damaged or no safetensors file: header too large"),
    "text": (b"this is no file of weights at all", "damaged or no safetensors file: header too large"),
    "huge header": (struct.pack("<Q", 1 << 60) + b"{}", "header too large"),
    "header without end": (struct.pack("<Q", 5000) + b"{", "damaged or no safetensors file"),
    "truncated": (GOOD[:-3], "incomplete metadata, file not fully covered"),
    "more behind": (GOOD + b"more", "incomplete metadata, file not fully covered"),
    "no JSON": (raw(b"{nope}"), "invalid JSON in header"),
    "no text": (raw(b"\xff\xfe{}"), "invalid UTF-8 in header"),
    "absurd shape": (raw({"a": entry([1 << 40, 1 << 40])}, b"1234"), "overflow computing buffer size"),
    "negative shape": (raw({"a": entry([-1])}, b"1234"), "invalid value: integer `-1`"),
    "overlap": (raw({"a": entry([1]), "b": entry([1])}, b"1234"), "invalid offset for tensor"),
    "hole": (raw({"a": entry([1], 4, 8)}, b"12341234"), "invalid offset for tensor"),
    "unknown type": (raw({"a": entry([1], dtype="Q9")}, b"1234"), "unknown variant `Q9`"),
    "garbled details": (
        raw({"__metadata__": {"cnncli": "{"}, "a": entry([1])}, b"1234"),
        "damaged or no safetensors file",
    ),
    "endless nesting": (
        raw({"__metadata__": {"cnncli": "[" * 100_000}, "a": entry([1])}, b"1234"),
        "damaged or no safetensors file",
    ),
    "missing": (changed(lambda state: state.pop(CONV)), f"{CONV}: missing in the checkpoint"),
    "too many": (
        changed(lambda state: state.update(other=np.zeros(3))),
        "other: not part of this network",
    ),
    "other shape": (
        changed(lambda state: state.update({CONV: np.zeros((4, 1, 5, 5))})),
        f"{CONV}: shape (4, 1, 5, 5) in the checkpoint, (4, 1, 3, 3) in the network",
    ),
    "bfloat16": (
        raw({CONV: entry([4, 1, 3, 3], 0, 72, "BF16")}, b"0" * 72),
        f"{CONV}: numbers of type BF16; expected F16, F32 or F64",
    ),
    "integers": (
        changed(lambda state: state.update({CONV: np.zeros((4, 1, 3, 3), np.int64)})),
        f"{CONV}: numbers of type I64; expected F16, F32 or F64",
    ),
    "counter": (
        changed(lambda state: state.update({"batch_norm1.num_batches_tracked": np.zeros((), np.float32)})),
        "batch_norm1.num_batches_tracked: numbers of type F32; expected I64 or I32",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    path.write_bytes(content)
    network = model(2)
    before = weights_of(network)
    with pytest.raises(CheckpointError, match=re.escape(message)) as caught:
        load_weights(path, network)
    assert str(caught.value).startswith(f"{path}: ")
    assert weights_of(network) == before


def test_all_mismatches_are_listed(path: Path) -> None:
    save_weights(path, Model.create(sequence((4,), ("linear", {"out_features": 3})), 0))
    with pytest.raises(CheckpointError) as caught:
        load_weights(path, model(1))
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == 2 + len(model(1).state_dict())


def test_paths_that_are_no_file(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_weights(path, model(1))
    with pytest.raises(CheckpointError, match=r"is a directory; expected a \.safetensors file"):
        load_weights(tmp_path, model(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_weights(tmp_path / "file" / "weights", model(1))


def test_nothing_is_read_that_does_not_fit(path: Path) -> None:
    """Ten megabytes of something else cost no memory."""
    save_file({"other": np.zeros(10_000_000, np.uint8)}, path)
    network = model(1)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="other: not part of this network"):
        load_weights(path, network)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@given(cut=st.integers(0, len(GOOD)), place=st.integers(0, 1500), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=150)
def test_garbled_files_never_give_anything_but_weights_or_a_checkpoint_error(
    tmp_path_factory: pytest.TempPathFactory, cut: int, place: int, bit: int
) -> None:
    content = bytearray(GOOD)
    content[min(place, len(content) - 1)] ^= 1 << bit
    for garbled in (GOOD[:cut], bytes(content)):
        path = tmp_path_factory.getbasetemp() / "garbled.safetensors"
        path.write_bytes(garbled)
        try:
            load_weights(path, model(1))
        except CheckpointError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017 - both outcomes are right


def state(network: Model) -> TrainingState:
    rng = np.random.default_rng(3)
    scores = Scores(1 / 3, {"accuracy": 0.1})
    return TrainingState(
        data={"train": [600, 123], "val": [60, 4]},
        optimizer={"type": "adam", "lr": 1e-3, "betas": [0.9, 0.999]},
        updates=40,
        step=41,
        epochs=2,
        batches=2,
        totals={"samples": 64, "loss": 0.1 + 0.2, "sums": {"accuracy": [12.0]}},
        pace=Pace(seconds=1.5),
        history=(Record(1, 39, 1e-3, scores, scores, 1.5, 2e4, 0.0), Record(2, 39, 1e-3, scores, None, 1.5, 2e4, 0.1)),
        warned=("overfitting",),
        weights=network.state_dict(),
        slots={slot: rng.normal(size=network.flat.size).astype(np.float32) for slot in ("gradient_sum", "square_sum")},
        average=rng.normal(size=network.flat.size).astype(np.float32),
        last_update=Update({"conv2d0": 1.5}, {}, {}),
    )


def test_a_training_state_comes_back_whole(path: Path) -> None:
    one, other = model(1), model(2)
    saved = state(one)
    save_state(path, saved, one)
    loaded = load_state(path, other)
    assert weights_of(one) == weights_of(other)
    assert {slot: array.tobytes() for slot, array in loaded.slots.items()} == {
        slot: array.tobytes() for slot, array in saved.slots.items()
    }
    assert loaded.average is not None
    assert saved.average is not None
    assert loaded.average.tobytes() == saved.average.tobytes()
    arrays = {"weights", "slots", "average"}
    for name in {field.name for field in fields(TrainingState)} - arrays:
        assert getattr(loaded, name) == getattr(saved, name), name
    assert "optimizer.square_sum.conv2d0.weight" in load_file(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("optimizer.square_sum.conv2d0.weight"), "state for conv2d0.weight is missing"),
        (lambda tensors: tensors.pop("weights.conv2d0.weight"), "conv2d0.weight: missing in the checkpoint"),
    ],
)
def test_incomplete_states(path: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    one = model(1)
    save_state(path, state(one), one)
    size = struct.unpack("<Q", path.read_bytes()[:8])[0]
    metadata = json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]
    tensors = load_file(path)
    change(tensors)
    path.write_bytes(save(tensors, metadata))
    before = weights_of(one)
    with pytest.raises(CheckpointError, match=message):
        load_state(path, one)
    assert weights_of(one) == before


def test_weights_are_no_training_state(path: Path) -> None:
    save_weights(path, model(1))
    with pytest.raises(CheckpointError, match=r"holds no state of a training; expected the last\.state\.safetensors"):
        load_state(path, model(1))
