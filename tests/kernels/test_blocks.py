"""Blocks of channels change no result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.kernels import blocks
from tests.layers.cases import CASES, Case
from tests.layers.harness import Passed, apply

CUT = [case for case in CASES.values() if "pool" in case.name or "norm" in case.name]


@given(st.integers(1, 300), st.integers(1, 2 * blocks.BLOCK_BYTES))
def test_they_cover_the_channels_and_fit(channels: int, channel_bytes: int) -> None:
    cut = blocks.blocks(channels, channel_bytes)
    assert [place for part in cut for place in range(channels)[part]] == list(range(channels))
    sizes = [part.stop - part.start for part in cut]
    assert max(sizes) - min(sizes) <= 1
    assert blocks.widest(cut) == max(sizes)
    assert max(sizes) == 1 or max(sizes) * channel_bytes <= blocks.BLOCK_BYTES


@pytest.mark.parametrize("case", CUT, ids=lambda case: case.name)
def test_one_channel_at_a_time_gives_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> Passed:
        blocks.blocks.cache_clear()
        return apply(case.layer, case.tensors(), case.inputs(), case.upstream(), training=case.training)

    whole = run()
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    cut = run()
    blocks.blocks.cache_clear()
    np.testing.assert_allclose(cut.y, whole.y, atol=1e-13)
    np.testing.assert_allclose(cut.dxs[0], whole.dxs[0], atol=1e-13)
    for key, gradient in whole.gradients.items():
        np.testing.assert_allclose(cut.gradients[key], gradient, atol=1e-13)
