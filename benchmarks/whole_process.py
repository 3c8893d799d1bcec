"""Whole processes, from the command line to the prompt: an epoch of MNIST, a cold prediction, `--help`.

    python -m benchmarks.whole_process --mnist DIR

DIR holds the four IDX files of MNIST, gzipped. Ratios are of times, ours over theirs: below 1 we are faster. Needs
Linux's /proc for the memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import report
from benchmarks.command import CNNCLI, finish, peak_memory, python
from benchmarks.contestants import TITLES, missing
from benchmarks.job import CONFIGS, HERE
from benchmarks.measure import Spread, ratios, rotated

IMAGE = HERE.parent / "samples" / "ankle-boot.png"

Argv = Callable[[], list[str]]
"""Makes a command line, which may name a new folder each time."""


@dataclass(frozen=True)
class Comparison:
    """Command lines by name, the first of them ours."""

    title: str
    commands: Mapping[str, Argv]


def comparisons(mnist: Path | None, peers: Sequence[str], folder: Path) -> Iterator[Comparison]:
    """Those that can be made here; `folder` takes what the commands write."""
    if mnist is not None:
        yield Comparison("one epoch of MNIST", _epoch(mnist.resolve(), peers, folder))
    yield Comparison(
        "cold prediction of one image, LeNet-5", {"cnncli predict": _predict(folder), **_imports("import torch")}
    )
    yield Comparison("--help", {"cnncli --help": lambda: [CNNCLI, "--help"], **_imports("import typer, rich")})


def _epoch(mnist: Path, peers: Sequence[str], folder: Path) -> dict[str, Argv]:
    numbers = itertools.count()

    def train() -> list[str]:
        out = folder / f"epoch-{next(numbers)}"
        changes = [f"data.path={mnist}", "train.epochs=1", "train.batch_size=32"]
        settings = [word for change in changes for word in ("--set", change)]
        return [CNNCLI, "train", "--config", str(CONFIGS / "mnist-keras.yaml"), *settings, "--out", str(out), "--json"]

    def script(peer: str) -> list[str]:
        return python(str(HERE / "peers" / f"mnist_{peer}.py"), str(mnist))

    return {"cnncli train": train, **{f"{TITLES[peer]} script": partial(script, peer) for peer in peers}}


def _predict(folder: Path) -> Argv:
    """Trains a LeNet-5 first, for one epoch."""
    run = str(folder / "lenet5")
    report.say("training LeNet-5")
    finish([CNNCLI, "train", "--config", str(CONFIGS / "lenet5.yaml"), "--set", "train.epochs=1", "--out", run, "-q"])
    return lambda: [CNNCLI, "predict", "--run", run, str(IMAGE)]


def _imports(statement: str) -> dict[str, Argv]:
    return {f'python -c "{statement}"': lambda: python("-c", statement)}


def compare(comparison: Comparison, rounds: int) -> Iterator[str]:
    """Rows of the table: each command by turns, once before without timing, once after for its memory."""
    names = list(comparison.commands)
    printed = {}
    for name, argv in comparison.commands.items():
        report.say(f"{comparison.title}: {name}, not timed")
        printed[name] = finish(argv())[1]
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        report.say(f"{comparison.title}: round {turn + 1} of {rounds}")
        for name in rotated(names, turn):
            times[name].append(finish(comparison.commands[name]())[0])
    for name in names:
        memory = peak_memory(comparison.commands[name]())["Pss"]
        seconds = Spread.of(times[name])
        quotient = "" if name == names[0] else report.ratio(ratios(times[names[0]], times[name]))
        cells = [comparison.title, f"`{name}`", report.ratio(seconds), quotient, report.megabytes(memory)]
        yield report.row([*cells, _accuracy(printed[name])])


def _accuracy(printed: str) -> str:
    """On the test images, where the process told it as JSON."""
    try:
        document = json.loads(printed)
    except json.JSONDecodeError:
        return ""
    return f"{document.get('test', document)['accuracy']:.1%}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="without it there is no epoch of MNIST")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", choices=("pytorch", "keras"), default=("pytorch", "keras"))
    arguments = parser.parse_args()
    peers = [peer for peer in arguments.peers if not missing(peer)]
    print(f"Whole processes; median, least to largest of {arguments.rounds} rounds. {report.machine()}.\n")
    print(report.head(["", "command", "seconds", "ours / theirs", "peak memory", "test accuracy"]), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for comparison in comparisons(arguments.mnist, peers, Path(folder)):
            for line in compare(comparison, arguments.rounds):
                print(line, flush=True)
    print("\nPeak memory is that of the process and all it started, shared pages counted once (PSS).")


if __name__ == "__main__":
    main()
