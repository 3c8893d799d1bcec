"""The embedded sample: 5,000 training and 1,000 test images of Fashion-MNIST."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnncli import bundled
from cnncli.data.source import ClassNames, Pool, Shape, Source
from cnncli.data.sources.idx import read_pair, standard_files

CLASS_NAMES = (
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


class FashionMini(Source):
    """Ten kinds of clothing, 28x28, grey; as many of each. Source and licence: samples/README.md."""

    type: ClassVar[str] = "fashion-mini"

    classes: ClassNames | None = Field(CLASS_NAMES, description="names of the classes 0, 1, ...")

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Read the files that come with the package."""
        files = standard_files(bundled.path("samples", "fashion-mini"))
        return {name: read_pair(*pair) for name, pair in files.items()}
