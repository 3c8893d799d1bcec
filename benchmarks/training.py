"""Training steps: forward, loss, backward, Adam. cnncli and each installed peer, by turns in one run.

    python -m benchmarks.training
    python -m benchmarks.training lenet5 vgg-mini --batch-size 128 --peers pytorch

Before the clock starts, the losses of the first steps and the outputs afterwards are compared.
"""

from __future__ import annotations

import argparse

from benchmarks.contest import Cell, add_options, hold
from benchmarks.job import SMALL_NETWORKS

BATCH_SIZES = (32, 128)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    arguments = parser.parse_args()
    networks = arguments.network or list(SMALL_NETWORKS)
    sizes = arguments.batch_size or BATCH_SIZES
    hold("training", [Cell(network, size) for network in networks for size in sizes], arguments)


if __name__ == "__main__":
    main()
