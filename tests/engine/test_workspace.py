"""Memory is handed out again as soon as nobody refers to it, and never before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnncli.engine.workspace import SMALL, Workspace

LARGE = (SMALL,)  # of float32: more than SMALL bytes


def test_a_free_buffer_is_used_again() -> None:
    workspace = Workspace()
    first = workspace.empty(LARGE, np.float32)
    address = first.ctypes.data
    del first
    assert workspace.empty(LARGE, np.float32).ctypes.data == address


def test_a_view_keeps_its_buffer() -> None:
    workspace = Workspace()
    view = workspace.empty((8, SMALL), np.float32).reshape(-1)[3:5]
    assert not np.shares_memory(view, workspace.empty((8, SMALL), np.float32))


def test_the_smallest_buffer_that_fits_is_taken() -> None:
    workspace = Workspace()
    sizes = [8 * SMALL, 2 * SMALL, 4 * SMALL]
    arrays = [workspace.empty((size,), np.uint8) for size in sizes]
    addresses = dict(zip(sizes, [array.ctypes.data for array in arrays], strict=True))
    del arrays
    assert workspace.empty((3 * SMALL,), np.uint8).ctypes.data == addresses[4 * SMALL]
    assert workspace.nbytes == sum(sizes)


def test_small_arrays_are_left_to_numpy() -> None:
    workspace = Workspace()
    workspace.empty((SMALL,), np.uint8)
    assert workspace.nbytes == 0


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 5)), max_size=30))
def test_live_arrays_never_overlap(requests: list[tuple[int, int]]) -> None:
    workspace = Workspace()
    live: list[np.ndarray] = []
    for thousands, drop in requests:
        array = workspace.empty((1000 * thousands,), np.uint8)
        array[...] = len(live)
        live.append(array)
        assert array.ctypes.data % 64 == 0 or array.size <= SMALL
        del array
        if drop < len(live):
            live.pop(drop)
    spans = sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in live)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
