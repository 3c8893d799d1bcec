"""Contestants driven by turns in one run, each in its own process, one working while the others wait."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes, report
from benchmarks.agreement import disagreements
from benchmarks.contestants import OURS, PEERS, TITLES, missing
from benchmarks.contestants.runner import Mode
from benchmarks.job import NETWORKS, Job
from benchmarks.measure import Spread, fastest, geometric_mean, ratios, rotated
from benchmarks.remote import Remote
from cnncli.machine import available_cores

WARM_UP_SHARE = 0.1
"""Of a turn's steps, made before it and not timed: caches and threads were somebody else's."""

CALIBRATION_SECONDS = 0.3


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    network: str
    batch_size: int


@dataclass(frozen=True)
class Settings:
    """How long, on what, and against whom."""

    peers: Sequence[str]
    threads: int
    rounds: int
    seconds: float
    pause: float


@dataclass(frozen=True)
class Outcome:
    """What one cell came to."""

    network: str
    batch_size: int
    versions: dict[str, str]
    chosen: dict[str, str]  # the settings that were fastest, for each contestant
    speeds: dict[str, list[float]]  # images a second in each round
    waiting: float  # the most processor time, in cores, that those waiting used together during a turn

    @property
    def peers(self) -> list[str]:
        return [name for name in self.speeds if name != OURS]

    def against(self, peer: str) -> Spread:
        """Our speed over the peer's."""
        return ratios(self.speeds[OURS], self.speeds[peer])

    def against_fastest(self) -> Spread:
        """Our speed over that of the fastest peer of each round."""
        return ratios(self.speeds[OURS], fastest(self.speeds, self.peers))


def compete(cell: Cell, mode: Mode, settings: Settings) -> Outcome:
    """Starts the contestants, compares what they compute, lets each choose its settings, then takes turns."""
    config = NETWORKS.get(cell.network, Path(cell.network)).resolve()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        Job.make(config, cell.batch_size).save(folder / "job.npz")
        remotes = [stack.enter_context(Remote(name, settings.threads)) for name in (OURS, *settings.peers)]
        found: dict[str, Any] = {}
        for remote in remotes:
            report.say(f"{cell.network}, batch {cell.batch_size}: {TITLES[remote.name]} prepares")
            answer = remote.ask("open", config=str(config), job=str(folder / "job.npz"), mode=mode)
            found |= {f"{TITLES[remote.name]} ({name})": first for name, first in answer["found"].items()}
        if lines := disagreements(found):
            raise SystemExit(f"{cell.network}, batch {cell.batch_size}: " + "\n".join(lines))
        calibrated = {remote.name: remote.ask("calibrate", seconds=CALIBRATION_SECONDS) for remote in remotes}
        chosen = {name: answer["chosen"] for name, answer in calibrated.items()}
        steps = {
            name: max(1, round(settings.seconds / answer["seconds_a_step"][answer["chosen"]]))
            for name, answer in calibrated.items()
        }
        speeds, waiting = _take_turns(remotes, steps, cell.batch_size, settings)
        versions = {remote.name: remote.version for remote in remotes}
    return Outcome(cell.network, cell.batch_size, versions, chosen, speeds, waiting)


def _take_turns(
    remotes: Sequence[Remote], steps: dict[str, int], batch_size: int, settings: Settings
) -> tuple[dict[str, list[float]], float]:
    """Images a second in each round, and `Outcome.waiting`."""
    speeds: dict[str, list[float]] = {remote.name: [] for remote in remotes}
    waiting = 0.0
    for turn in range(settings.rounds):
        report.say(f"round {turn + 1} of {settings.rounds}")
        for remote in rotated(remotes, turn):
            time.sleep(settings.pause)  # until the threads of the one before have stopped looking for work
            others = [other.process.pid for other in remotes if other is not remote]
            start, used = time.perf_counter(), _cpu_seconds(others)
            count = steps[remote.name]
            answer = remote.ask("run", warm_up=1 + int(count * WARM_UP_SHARE), steps=count)
            waiting = max(waiting, (_cpu_seconds(others) - used) / (time.perf_counter() - start))
            speeds[remote.name].append(count * batch_size / answer["seconds"])
    return speeds, waiting


def _cpu_seconds(pids: Iterable[int]) -> float:
    """0 where there is no /proc to tell."""
    return sum(processes.cpu_seconds(pid) for pid in pids) if processes.PROC.exists() else 0.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """What both comparisons can be told."""
    known = ", ".join(NETWORKS)
    parser.add_argument("network", nargs="*", type=_network, help=f"{known}, or files; by default those of the tables")
    parser.add_argument("--batch-size", type=int, nargs="+", metavar="N")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS, help="by default all that are installed")
    parser.add_argument("--threads", type=int, default=available_cores(), help="by default one a core")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long a turn takes")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between turns, for threads to fall asleep")
    parser.add_argument("--json", action="store_true", help="every measurement, as JSON, instead of the table")


def _network(text: str) -> str:
    if text not in NETWORKS and not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no file and no network; there are {', '.join(NETWORKS)}")
    return text


def hold(mode: Mode, cells: Sequence[Cell], arguments: argparse.Namespace) -> None:
    """Runs all cells and prints the table, row by row, or JSON."""
    absent = {peer: missing(peer) for peer in arguments.peers}
    for peer, packages in absent.items():
        if packages:
            report.say(f"{TITLES[peer]} is left out: {' and '.join(packages)} not installed")
    peers = [peer for peer, packages in absent.items() if not packages]
    settings = Settings(peers, arguments.threads, arguments.rounds, arguments.seconds, arguments.pause)
    outcomes = (compete(cell, mode, settings) for cell in cells)
    if arguments.json:
        print(json.dumps([dataclasses.asdict(outcome) for outcome in outcomes], indent=1))
    else:
        for line in table(mode, outcomes, settings):
            print(line, flush=True)


def table(mode: Mode, outcomes: Iterable[Outcome], settings: Settings) -> Iterator[str]:
    """The lines of the report, each as soon as it is known."""
    titles = [TITLES[peer] for peer in settings.peers]
    yield f"{mode.capitalize()}, images/s (median) and ratios of speed (median, least to largest of the rounds)."
    yield f"{report.machine(settings.threads)}; {settings.rounds} rounds of {settings.seconds:g} s.\n"
    versus = [*(f"to {title}" for title in titles), *(["to the fastest"] if titles else [])]
    yield report.head(["network", "batch", TITLES[OURS], *titles, *versus])
    finished = []
    for outcome in outcomes:
        finished.append(outcome)
        medians = [report.speed(Spread.of(values).median) for values in outcome.speeds.values()]
        quotients = [outcome.against(peer) for peer in outcome.peers]
        quotients += [outcome.against_fastest()] if outcome.peers else []
        yield report.row([outcome.network, str(outcome.batch_size), *medians, *map(report.ratio, quotients)])
    if settings.peers:
        yield report.row(_means(finished, settings.peers))
    yield ""
    yield from _notes(finished)


def _means(outcomes: Sequence[Outcome], peers: Sequence[str]) -> list[str]:
    means = [geometric_mean(outcome.against(peer).median for outcome in outcomes) for peer in peers]
    means.append(geometric_mean(outcome.against_fastest().median for outcome in outcomes))
    return ["geometric mean", "", *[""] * (1 + len(peers)), *(f"{mean:.2f}" for mean in means)]


def _notes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Versions, the settings that each peer chose, and how quiet those were who waited."""
    yield ", ".join(outcomes[0].versions.values()) + ". Settings that were fastest:\n"
    for peer in outcomes[0].peers:
        cells: dict[str, list[str]] = {}
        for outcome in outcomes:
            cells.setdefault(outcome.chosen[peer], []).append(f"{outcome.network} {outcome.batch_size}")
        settings = "; ".join(f"{name}: {', '.join(where)}" for name, where in cells.items())
        yield f"- {TITLES[peer]}: {settings}"
    waiting = max(outcome.waiting for outcome in outcomes)
    yield f"\nThose who waited used at most {waiting:.1%} of a core together during another's turn."
