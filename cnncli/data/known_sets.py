"""The data sets that can be fetched by name: their files, with sizes and checksums, and where these lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnncli.data.sources.embedded import GARMENTS


@dataclass(frozen=True)
class KnownFile:
    """What tells a published file from any other."""

    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class KnownSet:
    """A published data set."""

    title: str
    samples: str
    """How many of what, in words."""
    source: str
    """The kind of source that reads it."""
    files: Mapping[str, KnownFile]
    """By their names; archives are unpacked."""
    mirrors: tuple[str, ...]
    """Folders on the network that have them all."""
    starter: str
    """A configuration of ours for samples of this shape."""
    options: Mapping[str, Any]
    """Of the source, beside where the files are."""
    unpacked: Mapping[str, int | None]
    """The files out of the archives that are wanted, and their sizes; None for any size."""


KNOWN_SETS = {
    "mnist": KnownSet(
        title="MNIST",
        samples="60,000 + 10,000 handwritten digits, 28x28, grey",
        source="idx",
        files={
            "train-images-idx3-ubyte.gz": KnownFile(
                9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": KnownFile(
                28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": KnownFile(
                1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": KnownFile(
                4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        starter="mnist",
        options={},
        unpacked={},
    ),
    "fashion-mnist": KnownSet(
        title="Fashion-MNIST",
        samples="60,000 + 10,000 pieces of clothing, 28x28, grey",
        source="idx",
        files={
            "train-images-idx3-ubyte.gz": KnownFile(
                26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
            ),
            "train-labels-idx1-ubyte.gz": KnownFile(
                29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
            ),
            "t10k-images-idx3-ubyte.gz": KnownFile(
                4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
            ),
            "t10k-labels-idx1-ubyte.gz": KnownFile(
                5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
            ),
        },
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        ),
        starter="fashion-mnist",
        options={"classes": list(GARMENTS)},
        unpacked={},
    ),
    "cifar10": KnownSet(
        title="CIFAR-10",
        samples="50,000 + 10,000 photographs of ten kinds of things, 32x32, colour",
        source="cifar10",
        files={
            "cifar-10-binary.tar.gz": KnownFile(
                170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
            )
        },
        mirrors=("https://www.cs.toronto.edu/~kriz", "https://cave.cs.toronto.edu/kriz"),
        starter="vgg-mini",
        options={},
        unpacked={
            **{f"data_batch_{number}.bin": 30_730_000 for number in range(1, 6)},
            "test_batch.bin": 30_730_000,
            "batches.meta.txt": None,
        },
    ),
}
"""By the names on the command line."""
