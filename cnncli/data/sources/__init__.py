"""Where data comes from: one file a source. A new one is a class here and a row in the contract test's table."""

from __future__ import annotations

from cnncli.data.source import Source
from cnncli.data.sources.cifar import Cifar10, Cifar100
from cnncli.data.sources.csv import Csv
from cnncli.data.sources.embedded import FashionMini, MnistMini
from cnncli.data.sources.folder import Folder
from cnncli.data.sources.idx import Idx
from cnncli.data.sources.npy import Npy
from cnncli.data.sources.npz import Npz

SOURCES: dict[str, type[Source]] = {
    source.type: source for source in (FashionMini, MnistMini, Idx, Folder, Csv, Npz, Npy, Cifar10, Cifar100)
}
"""Every source, under its name in YAML."""
