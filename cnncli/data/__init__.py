"""Data: sources (YAML `data:`), the splits they open, batches of them, and what --input means."""

from __future__ import annotations

from cnncli.data.batches import sequential_batches, shuffled_batches
from cnncli.data.dataset import Dataset, Split
from cnncli.data.inputs import Input, read_array, resolve
from cnncli.data.normalization import Normalization
from cnncli.data.source import Source
from cnncli.data.sources import SOURCES

__all__ = [
    "SOURCES",
    "Dataset",
    "Input",
    "Normalization",
    "Source",
    "Split",
    "read_array",
    "resolve",
    "sequential_batches",
    "shuffled_batches",
]
