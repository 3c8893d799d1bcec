"""Inference, from images in memory to outputs that can be read, one batch at a time. By turns in one run.

    python -m benchmarks.inference
    python -m benchmarks.inference vgg16-like --rounds 15

Before the clock starts, the outputs are compared. The large network is run on one image at a time.
"""

from __future__ import annotations

import argparse

from benchmarks.contest import Cell, add_options, hold
from benchmarks.job import LARGE_NETWORKS, NETWORKS

BATCH_SIZES = (1, 128)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    arguments = parser.parse_args()
    cells = []
    for network in arguments.network or list(NETWORKS):
        sizes = arguments.batch_size or ((1,) if network in LARGE_NETWORKS else BATCH_SIZES)
        cells += [Cell(network, size) for size in sizes]
    hold("inference", cells, arguments)


if __name__ == "__main__":
    main()
