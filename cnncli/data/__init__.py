"""Data: sources (YAML `data:`), the splits they open, batches of them, and what --input means.

What is named here is loaded with its first use: a process that decodes pictures needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncli.data.batches import sequential_batches as sequential_batches
    from cnncli.data.batches import shuffled_batches as shuffled_batches
    from cnncli.data.dataset import Dataset as Dataset
    from cnncli.data.dataset import Split as Split
    from cnncli.data.inputs import Input as Input
    from cnncli.data.inputs import read_array as read_array
    from cnncli.data.inputs import resolve as resolve
    from cnncli.data.normalization import Normalization as Normalization
    from cnncli.data.source import Source as Source
    from cnncli.data.sources import SOURCES as SOURCES

_HOMES = {
    "SOURCES": "sources",
    "Dataset": "dataset",
    "Input": "inputs",
    "Normalization": "normalization",
    "Source": "source",
    "Split": "dataset",
    "read_array": "inputs",
    "resolve": "inputs",
    "sequential_batches": "batches",
    "shuffled_batches": "batches",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
