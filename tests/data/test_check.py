"""What a scan of a split keeps of every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.data import SOURCES, Split, check
from cnncli.data.check import Scan, name_of, scan, twins
from cnncli.data.formats import decoding
from cnncli.data.normalization import Scaling
from cnncli.data.spread import Spread
from cnncli.data.stores import Pictures
from tests.data.makers import pixels, write_pictures


def split_of(store: NDArray[Any], targets: NDArray[Any] | None = None, rows: NDArray[Any] | None = None) -> Split:
    rows = np.arange(len(store)) if rows is None else rows
    targets = np.zeros(len(rows), np.int64) if targets is None else targets
    return Split(store, rows, targets, store.shape[1:], Scaling())


def scanned(split: Split) -> Scan:
    (*_, found) = scan(split)
    return found


@pytest.mark.parametrize("shape", [(30, 3, 4, 5), (30, 2, 7), (30, 6)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int16", ">f4", "float64"])
@pytest.mark.parametrize("chunk", [1, 100, 1 << 20])
def test_numbers_are_those_of_the_whole_split(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], dtype: str, chunk: int
) -> None:
    monkeypatch.setattr(check, "CHUNK", chunk)
    store = (np.random.default_rng(0).standard_normal(shape) * 20 + 100).astype(dtype)
    rows = np.arange(0, 30, 2)
    found = scanned(split_of(store, rows=rows))
    values = np.moveaxis(store[rows].astype(np.float64), 1, 0).reshape(shape[1], -1)
    np.testing.assert_allclose(found.spread.mean, values.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.spread.std, values.std(axis=1), rtol=1e-10)
    assert (found.low, found.high, found.seen) == (values.min(), values.max(), 15)
    assert (found.unreadable, found.nonfinite, found.constant) == ({}, [], [])


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_what_is_not_finite_is_named_and_not_counted(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(check, "CHUNK", chunk)
    store = np.random.default_rng(0).standard_normal((6, 2, 3, 3)).astype(np.float32)
    store[1, 0, 0, 0], store[4, 1] = np.inf, np.nan
    found = scanned(split_of(store))
    values = [store[:, channel].astype(np.float64) for channel in range(2)]
    finite = [channel[np.isfinite(channel)] for channel in values]
    assert found.nonfinite == [1, 4]
    np.testing.assert_allclose(found.spread.mean, [channel.mean() for channel in finite], rtol=1e-12)
    np.testing.assert_allclose(found.spread.std, [channel.std() for channel in finite], rtol=1e-10)
    assert found.high == max(channel.max() for channel in finite)


def test_nothing_finite_at_all_is_no_crash() -> None:
    found = scanned(split_of(np.full((2, 1, 2, 2), np.nan, np.float32)))
    assert found.nonfinite == [0, 1]
    assert found.low > found.high


def test_huge_numbers_are_no_warning() -> None:
    assert scanned(split_of(np.array([[[1e300]], [[-1e300]]]))).high == 1e300


def test_spread_of_nothing() -> None:
    assert Spread.of_none(2).std.tolist() == [0, 0]


def test_a_picture_of_one_colour_is_constant() -> None:
    store = pixels(4, 3, 5, 5)
    store[1] = np.array([255, 0, 7], np.uint8)[:, None, None]
    store[2, 0] = 9  # one channel of three
    assert scanned(split_of(store)).constant == [1]
    assert scanned(split_of(np.array([[1.0, 1.0], [1.0, 2.0]]))).constant == [0]


def test_twins_within_and_between_splits() -> None:
    store = pixels(8, 1, 4, 4)
    store[3] = store[6] = store[0]
    store[7] = store[2]
    store[1] = store[4] = 0  # of one colour: no twins
    splits = {
        "train": split_of(store, rows=np.array([0, 1, 2, 3])),
        "test": split_of(store, rows=np.array([4, 5, 6, 7])),
    }
    groups = twins({name: scanned(split) for name, split in splits.items()})
    assert [group.members for group in groups] == [
        (("train", 0), ("train", 3), ("test", 2)),
        (("train", 2), ("test", 3)),
    ]


def test_one_bit_makes_no_twins() -> None:
    store = np.repeat(pixels(1, 1, 4, 4), 2, axis=0)
    store[1, 0, 3, 3] ^= 1
    assert twins({"train": scanned(split_of(store))}) == []


def test_pictures_that_cannot_be_read_do_not_stop_the_scan(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"cat": 5, "dog": 4})
    broken = [tmp_path / "cat" / "1.png", tmp_path / "dog" / "3.png"]
    for path in broken:
        path.write_bytes(path.read_bytes()[:60])
    data = SOURCES["folder"](path=tmp_path, validation=0).open((3, 6, 8), seed=0)
    found = scanned(data.train)
    assert list(found.unreadable) == [1, 8]
    for (index, reason), path in zip(found.unreadable.items(), broken, strict=True):
        assert reason.startswith(f"{path}: ")
        assert "data check" not in reason
        assert name_of(data.train, "train", index) == str(path)
    assert found.seen == 9
    assert found.sizes == {(8, 6): 7}
    assert twins({"train": found}) == []


def test_a_scan_keeps_no_picture_and_reads_the_good_ones_of_a_bad_piece_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path, {"cat": 20, "dog": 20})
    broken = tmp_path / "cat" / "1.png"
    broken.write_bytes(broken.read_bytes()[:60])
    decoded, decode = [], decoding.decode

    def counted(path: Path, shape: Any, resize: Any) -> NDArray[np.uint8]:
        decoded.append(path)
        return decode(path, shape, resize)

    monkeypatch.setattr(decoding, "decode", counted)
    monkeypatch.setattr(check, "CHUNK", 3 * 6 * 8 * 10)
    data = SOURCES["folder"](path=tmp_path, validation=0).open((3, 6, 8), seed=0)
    assert list(scanned(data.train).unreadable) == [1]
    assert decoded.count(broken) == 1
    assert len(decoded) == 40 + 9
    data.train.raw([0])
    assert len(decoded) == 40 + 9 + 1


def test_a_file_that_goes_while_it_is_looked_at_has_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path, {"cat": 3, "dog": 3})
    size_in_file = Pictures.size_in_file

    def gone(store: Pictures, row: int) -> tuple[int, int]:
        if row == 2:
            store.path(row).unlink()
        return size_in_file(store, row)

    monkeypatch.setattr(Pictures, "size_in_file", gone)
    found = scanned(SOURCES["folder"](path=tmp_path, validation=0).open((3, 6, 8), seed=0).train)
    assert (found.unreadable, found.sizes) == ({}, {(8, 6): 5})
