"""What reads like an array, and holds only what it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnncli.data.formats import decoding
from cnncli.data.formats.npy import map_npy
from cnncli.data.stores import Fetching, InFile, Joined, Pictures, Store, unmapped
from cnncli.data.stores import in_file as in_file_module
from cnncli.data.stores import pictures as pictures_module
from cnncli.data.stores.decoders import POSSIBLE, Decoders
from cnncli.errors import DataError
from tests.data.makers import pixels

COUNT = 30
ARRAY = pixels(COUNT, 3, 4, 5)
SIZE = 3 * 4 * 5


def files(folder: Path) -> list[Path]:
    for index, array in enumerate(ARRAY):
        Image.fromarray(array.transpose(1, 2, 0)).save(folder / f"{index}.png")
    return [folder / f"{index}.png" for index in range(COUNT)]


def opened(folder: Path, keep: int) -> Pictures:
    return Pictures(files(folder), (3, 4, 5), "stretch", keep=keep)


def in_file(folder: Path, view: Callable[[NDArray[Any]], NDArray[Any]], array: NDArray[Any]) -> InFile:
    """The view of a file that has the array, which are the samples of ARRAY."""
    np.save(folder / "a.npy", array)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_file_module, "_SMALL", 0)
        store = unmapped(view(map_npy(folder / "a.npy")))
    assert isinstance(store, InFile)
    return store


STORES: dict[str, Callable[[Path], Store]] = {
    "pictures": lambda folder: opened(folder, COUNT * SIZE),
    "some pictures kept": lambda folder: opened(folder, 7 * SIZE),
    "no picture kept": lambda folder: opened(folder, 0),
    "in a file": lambda folder: in_file(folder, lambda array: array, ARRAY),
    "in a file, big-endian": lambda folder: in_file(folder, lambda array: array, ARRAY.astype(">u2")),
    "in a file, channels last": lambda folder: in_file(
        folder, lambda array: np.moveaxis(array, -1, 1), np.moveaxis(ARRAY, 1, -1)
    ),
    "in a file, flat": lambda folder: in_file(
        folder, lambda array: array.reshape(COUNT, 3, 4, 5), ARRAY.reshape(COUNT, -1)
    ),
    "in a file, in records": lambda folder: in_file(
        folder,
        lambda array: array[:, 1:].reshape(COUNT, 3, 4, 5),
        np.pad(ARRAY.reshape(COUNT, -1), ((0, 0), (1, 0))),
    ),
    "joined": lambda folder: Joined([ARRAY[:1], ARRAY[1:12], ARRAY[12:]]),
}


@pytest.mark.parametrize("name", STORES)
def test_a_store_reads_like_an_array(name: str, tmp_path: Path) -> None:
    store = STORES[name](tmp_path)
    assert (store.shape, store.ndim, len(store)) == (ARRAY.shape, ARRAY.ndim, len(ARRAY))
    if isinstance(store, Fetching):
        store.prefetch(np.array([3, 4, 9, 0]))
    rng = np.random.default_rng(0)
    asked: list[Any] = [0, -1, np.int64(3), slice(2, 9), slice(None), np.array([], int), rng.permutation(COUNT)]
    for rows in [*asked, *(rng.integers(0, COUNT, 8) for _ in range(20))]:
        taken = store[rows]
        np.testing.assert_array_equal(taken, ARRAY[rows])
        assert taken.dtype == store.dtype
        taken[...] = 0  # what is given is a copy
    with pytest.raises(IndexError):
        store[COUNT]


class Counted:
    """Counts what is decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decoded: list[int] = []
        decode = decoding.decode

        def counted(path: Path, shape: Any, resize: Any) -> NDArray[np.uint8]:
            self.decoded.append(int(path.stem) if path.stem.isdigit() else -1)
            return decode(path, shape, resize)

        monkeypatch.setattr(decoding, "decode", counted)


def test_a_picture_is_decoded_once_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, COUNT * SIZE)
    assert decoder.decoded == []
    store.prefetch(np.arange(20))
    store.prefetch(np.arange(10, 25))
    for _ in range(3):
        store[np.arange(22)]
        store[np.array([21, 21, 28])]
    assert sorted(decoder.decoded) == [*range(25), 28]


def test_a_picture_without_room_is_decoded_whenever_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, 2 * SIZE)
    store[0], store[1]
    for _ in range(3):
        store.prefetch(np.array([0, 1, 2, 3]))
        store[np.array([0, 1, 2, 3])]
    assert sorted(decoder.decoded) == [0, 1, 2, 2, 2, 3, 3, 3]


def test_what_is_announced_is_bounded_and_forgotten_when_others_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_module, "_MOST_AHEAD", 5 * SIZE)
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, 0)
    store.prefetch(np.arange(10))
    np.testing.assert_array_equal(store[20], ARRAY[20])
    assert sorted(decoder.decoded) == [0, 1, 2, 3, 4, 20]
    store.prefetch(np.arange(21, 30))
    np.testing.assert_array_equal(store[np.arange(21, 26)], ARRAY[21:26])
    assert sorted(decoder.decoded) == [0, 1, 2, 3, 4, 20, *range(21, 26)]


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoders]:
    """A process that has started; every store uses it."""
    monkeypatch.setattr(pictures_module, "_MANY", 0)
    monkeypatch.setattr(pictures_module, "_PIECE", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    made = Decoders((3, 4, 5), "stretch")
    monkeypatch.setattr(pictures_module, "Decoders", lambda shape, resize: made)
    deadline = monotonic() + 60
    while made.decode([]) is None and monotonic() < deadline:
        sleep(0.01)
    yield made
    made.dismiss()


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_process_decodes_as_this_one(tmp_path: Path, decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Counted(monkeypatch)
    paths = [*files(tmp_path), tmp_path / "strange \n\udcff name.png", tmp_path / "missing.png"]
    paths[COUNT].write_bytes(paths[0].read_bytes())
    (tmp_path / "17.png").write_bytes(b"nothing")
    store = Pictures(paths, (3, 4, 5), "stretch", keep=0)
    rows = np.delete(np.arange(COUNT + 1), 17)
    np.testing.assert_array_equal(store[rows], ARRAY[rows % COUNT])
    errors = [decoding_error(lambda row=row: store[np.append(rows, row)]) for row in (17, COUNT + 1)]
    assert decoder.decoded == []
    monkeypatch.setattr(pictures_module, "_MANY", 10**6)
    alone = Pictures(paths, (3, 4, 5), "stretch", keep=0)
    assert errors == [decoding_error(lambda row=row: alone[row]) for row in (17, COUNT + 1)]


def decoding_error(read: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return str(caught.value)


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_process_that_is_killed_is_done_without(tmp_path: Path, decoders: Decoders) -> None:
    store = Pictures(files(tmp_path), (3, 4, 5), "stretch", keep=0)
    decoder = decoders._idle.get_nowait()
    decoder._process.kill()
    decoders._idle.put(decoder)
    np.testing.assert_array_equal(store[np.arange(COUNT)], ARRAY)


@pytest.mark.parametrize("keep", [0, 9 * SIZE, COUNT * SIZE])
def test_several_threads_may_ask(keep: int, tmp_path: Path) -> None:
    store = opened(tmp_path, keep)
    wrong: list[int] = []

    def ask(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(40):
            rows = rng.integers(0, COUNT, 6)
            store.prefetch(rng.integers(0, COUNT, 6))
            if not np.array_equal(store[rows], ARRAY[rows]):
                wrong.append(seed)

    threads = [Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="this system maps files only")
def test_a_large_file_is_read_at_constant_memory(tmp_path: Path) -> None:
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (4096, 65536))  # 256 MiB
    array[:] = 1
    del array
    store = unmapped(map_npy(tmp_path / "a.npy"))
    before = resident_of_files()
    for start in range(0, len(store), 64):
        assert store[np.arange(start, start + 64)].all()
    assert resident_of_files() - before < 16 << 20


def resident_of_files() -> int:
    """Bytes of mapped files that lie in this process's memory."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
    return int(line.split()[1]) << 10


def test_what_is_small_or_has_no_sample_in_one_piece_stays_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "columns.npy", np.asfortranarray(ARRAY))
    np.save(tmp_path / "rows.npy", ARRAY)
    small = map_npy(tmp_path / "rows.npy")
    assert unmapped(small) is small
    monkeypatch.setattr(in_file_module, "_SMALL", 0)
    columns = map_npy(tmp_path / "columns.npy")
    for array in (columns, small[::-1], ARRAY):
        assert unmapped(array) is array


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    store = in_file(tmp_path, lambda array: array, ARRAY)
    os.truncate(tmp_path / "a.npy", 1000)
    assert store[0].shape == (3, 4, 5)
    with pytest.raises(DataError, match=r"a\.npy: has become shorter while it was read"):
        store[np.array([0, COUNT - 1])]
