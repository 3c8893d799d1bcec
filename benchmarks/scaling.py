"""How time and memory grow: with the number of images in a memory-mapped file, and with the batch size.

    python -m benchmarks.scaling
    python -m benchmarks.scaling --network vgg-mini --images 2000

Where time is linear, an image takes as long in every row as in the first. Needs Linux's /proc for the memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.command import CNNCLI, finish, peak_memory
from benchmarks.contestants import OURS
from benchmarks.job import SMALL_NETWORKS, Job
from benchmarks.measure import Spread, rotated
from benchmarks.remote import Remote
from cnncli.config import load
from cnncli.machine import available_cores

FACTORS = (1, 2, 4, 8)

BATCH_SIZES = (16, 32, 64, 128, 256, 512)

TURN_SECONDS = 1.0


def by_images(config: Path, images: int, rounds: int, folder: Path) -> Iterator[str]:
    """One epoch of `cnncli train` at batch 32 on files of more and more images: its time, and its peak memory."""
    counts = [images * factor for factor in FACTORS]
    files = {count: _data(config, count, folder) for count in counts}
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    for turn in range(rounds):
        for count in rotated(counts, turn):
            report.say(f"round {turn + 1} of {rounds}: {count:,} images")
            printed = finish(_train(config, files[count], folder / f"run-{turn}-{count}"))[1]
            seconds[count].append(json.loads(printed)["seconds"])
    yield report.head(
        ["images", "file", "seconds", "us an image", "to the first", "memory without the file", "file in memory"]
    )
    first = Spread.of(seconds[images]).median / images
    for count in counts:
        taken = Spread.of(seconds[count])
        memory = peak_memory(_train(config, files[count], folder / f"memory-{count}"))
        yield report.row(
            [
                f"{count:,}",
                report.megabytes(files[count].stat().st_size),
                report.ratio(taken),
                f"{taken.median / count * 1e6:.1f}",
                f"{taken.median / count / first:.2f}",
                report.megabytes(memory["Pss_Anon"] + memory["Pss_Shmem"]),
                report.megabytes(memory["Pss_File"]),
            ]
        )


def _data(config: Path, count: int, folder: Path) -> Path:
    """A file of so many random images, float32, and labels, written as np.savez does: it can be mapped."""
    graph, rng = load(config).graph, np.random.default_rng(0)
    path = folder / f"{count}.npz"
    images = rng.standard_normal((count, *graph.input_shape), np.float32)
    np.savez(path, x_train=images, y_train=rng.integers(0, graph.output.shape[0], count))
    return path


def _train(config: Path, data: Path, out: Path) -> list[str]:
    changes = [f"data={{source: npz, path: {data}, validation: 0}}", "train.epochs=1", "train.batch_size=32"]
    settings = [word for change in changes for word in ("--set", change)]
    return [CNNCLI, "train", "--config", str(config), *settings, "--out", str(out), "--json"]


def by_batch_size(config: Path, sizes: Sequence[int], rounds: int, folder: Path) -> Iterator[str]:
    """A training step on batches of more and more images, that lie in memory."""
    with ExitStack() as stack:
        remotes = {}
        steps = {}
        for size in sizes:
            report.say(f"preparing batch {size}")
            Job.make(config, size).save(folder / "job.npz")
            remotes[size] = stack.enter_context(Remote(OURS, available_cores()))
            remotes[size].ask("open", config=str(config), job=str(folder / "job.npz"), mode="training")
            (seconds,) = remotes[size].ask("calibrate", seconds=TURN_SECONDS / 4)["seconds_a_step"].values()
            steps[size] = max(1, round(TURN_SECONDS / seconds))
        times: dict[int, list[float]] = {size: [] for size in sizes}
        for turn in range(rounds):
            report.say(f"round {turn + 1} of {rounds}")
            for size in rotated(sizes, turn):
                time.sleep(TURN_SECONDS / 4)
                taken = remotes[size].ask("run", warm_up=1 + steps[size] // 10, steps=steps[size])["seconds"]
                times[size].append(taken / steps[size])
    yield report.head(["batch", "ms a step", "us an image", "to the first", "images/s"])
    first = Spread.of(times[sizes[0]]).median / sizes[0]
    for size in sizes:
        step = Spread.of(times[size])
        each = step.median / size
        milliseconds = report.ratio(Spread(step.median * 1e3, step.low * 1e3, step.high * 1e3))
        yield report.row([str(size), milliseconds, f"{each * 1e6:.1f}", f"{each / first:.2f}", f"{1 / each:,.0f}"])


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=SMALL_NETWORKS, default="mnist-keras")
    parser.add_argument("--images", type=int, default=10_000, metavar="N", help="in the smallest file")
    parser.add_argument("--batch-size", type=int, nargs="+", default=BATCH_SIZES, metavar="N")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    config = SMALL_NETWORKS[arguments.network]
    print(f"cnncli, training {arguments.network}; median, least to largest of {arguments.rounds} rounds.")
    print(f"{report.machine()}.\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in by_images(config, arguments.images, arguments.rounds, Path(folder)):
            print(line, flush=True)
        print()
        for line in by_batch_size(config, arguments.batch_size, arguments.rounds, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
