"""How long a training waits for a folder of JPEGs, that are decoded as it goes: LeNet-5 on small pictures.

    python -m benchmarks.picture_folder [--pictures 20000] [--size 28] [--epochs 10] [--repeat 3]

Makes the folder from the embedded samples, trains on it through the command line, and prints for each epoch how much
of its training was spent on waiting for data; then the same of all epochs together. Before the first epoch no
picture has been decoded; the files are in the system's cache.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.command import CNNCLI, finish
from cnncli import bundled
from cnncli.data.sources import SOURCES


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=28, help="height and width of a picture in its file")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "pictures", options.pictures, options.size)
        shares = [train(Path(folder), options.epochs, number) for number in range(options.repeat)]
    whole, first = zip(*shares, strict=True)
    print(f"waiting: {statistics.median(whole):.1%} of the training, {statistics.median(first):.1%} of its first epoch")


def make(folder: Path, count: int, size: int) -> None:
    """`count` grey JPEGs, size x size, in a sub-folder for each class: embedded samples with some noise."""
    train = SOURCES["fashion-mini"](validation=0).open((1, 28, 28), seed=0).train
    rng = np.random.default_rng(0)
    for name in np.unique(train.targets):
        (folder / str(name)).mkdir(parents=True)
    for number in range(count):
        index = number % len(train)
        noisy = train.display(index).astype(np.int64) + rng.integers(-8, 9, (28, 28))
        picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).resize((size, size))
        picture.save(folder / str(train.targets[index]) / f"{number:06d}.jpg", quality=90)


def train(folder: Path, epochs: int, number: int) -> tuple[float, float]:
    """The share of the time that one training waited for data: in all of it, and in its first epoch."""
    out = folder / f"run{number}"
    data = f"data={{source: folder, path: {folder / 'pictures'}}}"
    argv = [CNNCLI, "train", "--config", str(bundled.path("configs", "lenet5.yaml")), "--out", str(out)]
    taken, _ = finish([*argv, "--set", data, "--set", f"train.epochs={epochs}"])
    with open(out / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    seconds = np.array([float(row["seconds"]) for row in rows])
    shares = np.array([float(row["data_wait"]) for row in rows])
    speeds = [f"{float(row['images_per_second']):,.0f}" for row in rows]
    print(f"run {number + 1}: {taken:.1f} s in all")
    print("  images a second", *speeds)
    print("  share waited   ", *(f"{share:.1%}" for share in shares))
    return float((seconds * shares).sum() / seconds.sum()), float(shares[0])


if __name__ == "__main__":
    main()
