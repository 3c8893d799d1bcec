"""The embedded samples: small parts of Fashion-MNIST and of MNIST, that come with the package."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnncli import bundled
from cnncli.data.source import ClassNames, Pool, Shape, Source
from cnncli.data.sources.idx import read_pair, standard_files

GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DIGITS = tuple("0123456789")


class _Embedded(Source):
    """28x28, grey, as many of each class. Sources and licences: samples/README.md."""

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Read the files that come with the package."""
        files = standard_files(bundled.path("samples", self.type))
        return {name: read_pair(*pair) for name, pair in files.items()}


class FashionMini(_Embedded):
    """5,000 training and 1,000 test images of Fashion-MNIST: ten kinds of clothing, 28x28, grey, as many of each."""

    type: ClassVar[str] = "fashion-mini"

    classes: ClassNames | None = Field(GARMENTS, description="names of the classes 0, 1, ...")


class MnistMini(_Embedded):
    """3,000 training and 500 test images of MNIST: handwritten digits, 28x28, grey, as many of each."""

    type: ClassVar[str] = "mnist-mini"

    classes: ClassNames | None = Field(DIGITS, description="names of the classes 0, 1, ...")
