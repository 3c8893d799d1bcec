from __future__ import annotations

from types import ModuleType

import pytest


@pytest.fixture
def torch_layers() -> ModuleType:
    """The layers in PyTorch."""
    pytest.importorskip("torch", reason="PyTorch is not installed: stored reference values serve")
    from tests.layers import torch_layers

    return torch_layers
