"""The names of arrays in files say what they are of, and are read back."""

from __future__ import annotations

import pytest

from cnncli.engine.names import ArrayName


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("activation/input", ArrayName("activation", "input")),
        ("gradient/block.conv", ArrayName("gradient", "block.conv")),
        ("parameter/block.conv.weight", ArrayName("parameter", "block.conv", "weight")),
        ("parameter_gradient/conv.bias", ArrayName("parameter_gradient", "conv", "bias")),
    ],
)
def test_names(text: str, name: ArrayName) -> None:
    assert str(name) == text
    assert ArrayName.parse(text) == name
