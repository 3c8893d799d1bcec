"""What reads like an array, and holds only what it is asked for."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnncli.data.arrange import arrange_inputs
from cnncli.data.formats import decoding
from cnncli.data.formats.npy import map_npy
from cnncli.data.stores import Fetching, InFile, Joined, Pictures, Store, open_pictures, unmapped
from cnncli.data.stores import in_file as in_file_module
from cnncli.data.stores import pictures as pictures_module
from cnncli.data.stores.crew import Crew
from cnncli.data.stores.decoders import POSSIBLE, Decoder, Decoders
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
    return pictures(files(folder), keep)


def pictures(paths: list[Path], keep: int = 0, decoders: Decoders | None = None) -> Pictures:
    return Pictures(paths, (3, 4, 5), "stretch", keep=keep, crew=Crew(2 if decoders is None else 1), decoders=decoders)


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

    def after(self, count: int) -> list[int]:
        """What has been decoded, ascending, once it is so many: what nobody asked for yet may still be at work."""
        deadline = monotonic() + 30
        while len(self.decoded) < count and monotonic() < deadline:
            sleep(0.005)
        return sorted(self.decoded)


def test_a_picture_is_decoded_once_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, COUNT * SIZE)
    assert decoder.decoded == []
    store.prefetch(np.arange(20))
    store.prefetch(np.arange(10, 25))
    for _ in range(3):
        store[np.arange(22)]
        store[np.array([21, 21, 28])]
    assert decoder.after(26) == [*range(25), 28]


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
    assert decoder.after(6) == [0, 1, 2, 3, 4, 20]
    store.prefetch(np.arange(21, 30))
    np.testing.assert_array_equal(store[np.arange(21, 30)], ARRAY[21:30])
    assert decoder.after(15) == [0, 1, 2, 3, 4, *range(20, 30)]


def test_what_is_announced_waits_for_room_and_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_module, "_MOST_AHEAD", 5 * SIZE)
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, 0)
    order = np.random.default_rng(0).permutation(COUNT)
    store.prefetch(order)
    for rows in np.split(order, 10):
        np.testing.assert_array_equal(store[rows], ARRAY[rows])
    assert sorted(decoder.decoded) == list(range(COUNT))


def test_the_next_begin_when_some_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_module, "_MOST_AHEAD", 5 * SIZE)
    decoder = Counted(monkeypatch)
    store = opened(tmp_path, 0)
    store.prefetch(np.arange(10))
    store[np.arange(4)]
    store[4]  # comes after 5 to 8, which began when there was room for them
    store[8]
    assert decoder.after(9)[:9] == list(range(9))


@pytest.fixture
def decoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Decoders:
    """Those of a process that has started, which is asked for single pictures too."""
    monkeypatch.setattr(pictures_module, "_FEW", 1)
    made = Decoders((3, 4, 5), "stretch")
    paths = files(tmp_path)
    deadline = monotonic() + 60
    while made.decode(paths[:1]) is None and monotonic() < deadline:
        sleep(0.01)
    return made


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_process_decodes_as_this_one(tmp_path: Path, decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Counted(monkeypatch)
    paths = [*files(tmp_path), tmp_path / "strange \n\udcff name.png", tmp_path / "missing.png"]
    paths[COUNT].write_bytes(paths[0].read_bytes())
    (tmp_path / "17.png").write_bytes(b"nothing")
    store = pictures(paths, decoders=decoders)
    rows = np.delete(np.arange(COUNT + 1), 17)
    np.testing.assert_array_equal(store[rows], ARRAY[rows % COUNT])
    errors = [decoding_error(lambda row=row: store[np.append(rows, row)]) for row in (17, COUNT + 1)]
    assert decoder.decoded == []
    alone = pictures(paths)
    assert errors == [decoding_error(lambda row=row: alone[row]) for row in (17, COUNT + 1)]


def decoding_error(read: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return str(caught.value)


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_process_that_is_killed_makes_room_for_another(
    tmp_path: Path, decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Counted(monkeypatch)
    killed = decoders._idle.get_nowait()
    killed._process.kill()
    decoders._idle.put(killed)
    np.testing.assert_array_equal(pictures(files(tmp_path), decoders=decoders)[np.arange(COUNT)], ARRAY)
    assert decoder.decoded == []
    assert killed._process.returncode == -signal.SIGKILL  # it was asked


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_picture_that_ends_every_process_is_named(
    tmp_path: Path, decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = Decoder.decode

    def deadly(self: Decoder, paths: list[Path]) -> Any:
        if tmp_path / "13.png" in paths:
            self._process.kill()
            self._process.wait()
        return decode(self, paths)

    monkeypatch.setattr(Decoder, "decode", deadly)
    counted = Counted(monkeypatch)
    store = pictures(files(tmp_path), decoders=decoders)
    text = decoding_error(lambda: store[np.arange(COUNT)])
    assert text.startswith(f"{tmp_path}/13.png: ends every process that decodes it")
    assert len(text.splitlines()) == 1
    rest = np.delete(np.arange(COUNT), 13)
    np.testing.assert_array_equal(store[rest], ARRAY[rest])
    assert counted.decoded == []


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
@pytest.mark.parametrize("executable", ["/nowhere/python", "/bin/false"])
def test_a_process_that_does_not_come_up_is_done_without(
    executable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_module, "_FEW", 1)
    monkeypatch.setattr(sys, "executable", executable)
    begun = []
    begin = subprocess.Popen

    def counted(*given: Any, **options: Any) -> Any:
        begun.append(given)
        return begin(*given, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    store = pictures(files(tmp_path), decoders=Decoders((3, 4, 5), "stretch"))
    deadline = monotonic() + 60
    while len(begun) < 3 and monotonic() < deadline:
        np.testing.assert_array_equal(store[np.arange(COUNT)], ARRAY)
    sleep(0.1)  # /bin/false ends
    for _ in range(20):
        np.testing.assert_array_equal(store[np.arange(COUNT)], ARRAY)
    assert len(begun) == 3


_HOLDER = """
import sys
from pathlib import Path
from time import sleep
from cnncli.data.stores.decoders import Decoders
decoders = Decoders((3, 4, 5), "stretch")
while decoders.decode([Path(sys.argv[1])]) is None:
    sleep(0.01)
decoder = decoders._idle.get_nowait()
print(decoder._process.pid, flush=True)
decoders._idle.put(decoder)
"""


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
@pytest.mark.parametrize("end", ["del decoders, decoder; sleep(60)", "", "sleep(60)"], ids=["object", "exit", "kill"])
def test_processes_end_with_what_they_were_started_for(end: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER + end, str(files(tmp_path)[0])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        if end == "sleep(60)":
            os.kill(pid, 0)  # it is there
            holder.kill()
        deadline = monotonic() + 30
        while is_alive(pid) and monotonic() < deadline:
            sleep(0.01)
        assert not is_alive(pid)
        holder.kill()


def is_alive(pid: int) -> bool:
    """Whether there is this process, and not only what its parent has yet to take note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 on: there are threads
@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_a_child_that_is_forked_decodes_by_itself(tmp_path: Path, decoders: Decoders) -> None:
    store = pictures(files(tmp_path), decoders=decoders)
    store.prefetch(np.arange(20))
    store[np.arange(5)]
    child = os.fork()
    if not child:
        signal.alarm(60)  # ends it if it hangs
        os._exit(0 if np.array_equal(store[np.arange(COUNT)], ARRAY) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(store[np.arange(COUNT)], ARRAY)
    decoder = decoders._idle.get_nowait()
    decoders._idle.put(decoder)
    assert decoder._process.poll() is None  # the child has not ended it


@pytest.mark.skipif(not POSSIBLE, reason="no processes on this system")
def test_splits_share_what_decodes_until_all_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_module, "_MANY", 0)
    paths = files(tmp_path)
    train, val = open_pictures({"train": paths[:20], "val": paths[20:]}, (3, 4, 5), "stretch").values()
    assert train._crew is val._crew
    assert train._decoders is val._decoders
    decoders = weakref.ref(train._decoders)
    np.testing.assert_array_equal(train[np.arange(20)], ARRAY[:20])
    assert decoders() is not None
    np.testing.assert_array_equal(val[np.arange(10)], ARRAY[20:])
    deadline = monotonic() + 60
    while decoders() is not None and monotonic() < deadline:
        sleep(0.01)
    assert decoders() is None


def test_joined_stores_hear_of_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Counted(monkeypatch)
    store = Joined([ARRAY[:4], pictures(files(tmp_path)), ARRAY[:4]])
    store.prefetch(np.array([2, 4, 9, 33, 35]))
    assert decoder.after(3) == [0, 5, 29]


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
def test_a_large_file_is_read_at_constant_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", np.ones((2048, 128, 128), np.uint8))  # 32 MiB
    monkeypatch.setattr(in_file_module, "_SMALL", 0)
    store = arrange_inputs(map_npy(tmp_path / "a.npy"), (1, 128, 128), "a.npy")
    before = resident_of_files()
    for start in range(0, len(store), 64):
        assert store[np.arange(start, start + 64)].all()
    assert resident_of_files() - before < 4 << 20


def test_grey_pictures_without_an_axis_for_their_channel(tmp_path: Path) -> None:
    store = in_file(tmp_path, lambda array: array[:, None], ARRAY[:, 0])
    for rows in (3, slice(2, 9), np.array([4, 1, 29])):
        np.testing.assert_array_equal(store[rows], ARRAY[:, :1][rows])


def test_advice_that_fails_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: int) -> None:
        raise OSError(errno.ESPIPE, "no")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    in_file(tmp_path, lambda array: array, ARRAY).prefetch(np.arange(3))


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
