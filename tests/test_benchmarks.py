"""The benchmarks' own correctness: all contestants compute the same, and the arithmetic of ratios and memory is right.

Nothing here is timed.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import processes
from benchmarks.agreement import disagreements
from benchmarks.command import peak_memory
from benchmarks.contest import Cell, Outcome, Settings, compete, table
from benchmarks.contestants import OURS, PEERS, missing
from benchmarks.contestants.cnncli import Cnncli, runners
from benchmarks.job import LARGE_NETWORKS, SMALL_NETWORKS, Job
from benchmarks.measure import Spread, fastest, geometric_mean, ratios, rotated
from benchmarks.remote import Remote
from cnncli.config import load

needs_proc = pytest.mark.skipif(not processes.PROC.exists(), reason="needs Linux's /proc")

# What is compared


@pytest.fixture(scope="module")
def ours() -> Iterator[Remote]:
    with Remote(OURS, threads=1) as remote:
        yield remote


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest) -> Iterator[Remote]:
    if packages := missing(request.param):
        pytest.skip(f"not installed: {', '.join(packages)}")
    with Remote(request.param, threads=1) as remote:
        yield remote


@pytest.mark.parametrize("mode", ["training", "inference"])
@pytest.mark.parametrize("network", SMALL_NETWORKS)
def test_a_peer_computes_the_same_in_all_its_settings(
    ours: Remote, peer: Remote, network: str, mode: str, tmp_path: Path
) -> None:
    config, job = SMALL_NETWORKS[network], tmp_path / "job.npz"
    Job.make(config, batch_size=16).save(job)
    found: dict[str, Any] = {}
    for remote in (ours, peer):
        answer = remote.ask("open", config=str(config), job=str(job), mode=mode)
        found |= {f"{remote.name} ({name})": first for name, first in answer["found"].items()}
    assert len(found) > 1
    assert disagreements(found) == []


def test_the_large_network_has_the_convolutions_of_vgg16() -> None:
    graph = load(LARGE_NETWORKS["vgg16-like"]).graph
    convolutions = [node for node in graph.nodes if node.layer.type == "conv2d"]
    assert len(convolutions) == 13
    numbers = sum(9 * node.input_shapes[0][0] * node.shape[0] + node.shape[0] for node in convolutions)
    assert numbers == 14_714_688  # VGG-16 without its linear layers
    assert convolutions[-1].shape == (512, 14, 14)


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    config = SMALL_NETWORKS["vgg-mini"]
    made = Job.make(config, batch_size=2)
    made.save(tmp_path / "job.npz")
    read = Job.load(config, tmp_path / "job.npz")
    assert (read.images == made.images).all()
    assert (read.labels == made.labels).all()
    assert list(read.weights) == list(made.weights)
    assert all((read.weights[key] == array).all() for key, array in made.weights.items())


FIRST = {"losses": [2.0, 1.0], "output": [[1.0, -4.0]]}


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"losses": [2.0, 1.0009], "output": [[1.0, -4.0]]}, None),
        ({"losses": [2.0, 1.002], "output": [[1.0, -4.0]]}, "the first losses are"),
        ({"losses": [2.0, math.nan], "output": [[1.0, -4.0]]}, "the first losses are"),
        ({"losses": [2.0, 1.0], "output": [[1.0, -3.92]]}, "2.0e-02 of the largest apart"),
        ({"losses": [2.0, 1.0], "output": [[1.0, math.nan]]}, "nan of the largest apart"),
    ],
)
def test_what_differs_is_found(other: dict[str, Any], complaint: str | None) -> None:
    lines = disagreements({"one": FIRST, "two": other})
    assert len(lines) == (complaint is not None)
    assert complaint is None or complaint in lines[0]


def test_inference_is_compared_more_strictly() -> None:
    one, two = ({"losses": [], "output": [[value, 1.0]]} for value in (0.0, 5e-4))
    assert len(disagreements({"one": one, "two": two})) == 1


@pytest.mark.parametrize("network", ["vgg-mini", "resnet-mini", "depthwise-mini"])
def test_running_statistics_that_stand_still_are_found(network: str) -> None:
    job = Job.make(SMALL_NETWORKS[network], batch_size=16)
    (runner,) = runners(job, "training", threads=1).values()
    losses, moved = runner.train(range(3)), runner.infer(0)
    assert isinstance(runner, Cnncli)
    for name, buffers in runner.model.buffers.items():
        for key, array in job.of(name).items():
            if key in buffers:
                buffers[key][...] = array
    still = runner.infer(0)
    runner.close()
    assert disagreements({name: {"losses": losses, "output": y} for name, y in (("one", moved), ("two", still))})


# Arithmetic

SPEEDS = {OURS: [20.0, 30.0, 10.0], "pytorch": [10.0, 10.0, 10.0], "jax": [5.0, 40.0, 1.0]}


def test_ratios_are_formed_round_by_round() -> None:
    assert ratios(SPEEDS[OURS], SPEEDS["pytorch"]) == Spread(2.0, 1.0, 3.0)
    assert ratios(SPEEDS[OURS], SPEEDS["jax"]) == Spread(4.0, 0.75, 10.0)


def test_the_fastest_is_that_of_each_round() -> None:
    assert fastest(SPEEDS, ["pytorch", "jax"]) == [10.0, 40.0, 10.0]
    assert Outcome("n", 1, {}, {}, SPEEDS, 0.0).against_fastest() == Spread(1.0, 0.75, 2.0)


def test_the_mean_of_ratios_is_geometric() -> None:
    assert geometric_mean([4.0, 0.25]) == pytest.approx(1.0)
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)


def test_every_round_begins_with_another() -> None:
    assert [rotated("abc", turn) for turn in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]


# The run


def test_turns_and_table_with_nobody_else() -> None:
    settings = Settings(peers=[], threads=1, rounds=2, seconds=0.01, pause=0)
    outcome = compete(Cell("lenet5", 2), "inference", settings)
    assert len(outcome.speeds[OURS]) == 2
    assert all(speed > 0 for speed in outcome.speeds[OURS])
    assert any(line.startswith("| lenet5 | 2 | ") for line in table("inference", [outcome], settings))


def test_the_rows_of_the_table_are_as_wide_as_its_head() -> None:
    settings = Settings(peers=["pytorch", "jax"], threads=1, rounds=3, seconds=1, pause=0)
    versions = {name: name for name in SPEEDS}
    outcome = Outcome("lenet5", 32, versions, versions, SPEEDS, 0.0)
    rows = [line for text in table("training", [outcome], settings) for line in text.splitlines() if line[:1] == "|"]
    assert len(rows) == 4
    assert {line.count("|") for line in rows} == {9}
    assert "2.00 (1.00 to 3.00) | 4.00 (0.75 to 10.00) | 1.00 (0.75 to 2.00)" in rows[2]


def test_a_contestant_that_fails_tells_why() -> None:
    with Remote(OURS, threads=1) as remote, pytest.raises(SystemExit, match=r"(?s)nowhere\.yaml.*cnncli ended before"):
        remote.ask("open", config="nowhere.yaml", job="nowhere.npz", mode="training")


@needs_proc
def test_memory_is_that_of_the_process_and_its_children() -> None:
    held = "held = bytearray(b'x') * 60_000_000; import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}], check=True)"
    assert peak_memory([sys.executable, "-c", "pass"])["Pss"] < 60_000_000
    peak = peak_memory([sys.executable, "-c", parent])
    assert 60_000_000 < peak["Pss_Anon"] <= peak["Pss"] < 120_000_000


@needs_proc
def test_processor_time_is_that_of_the_process() -> None:
    before, start = processes.cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() < start + 0.1:
        pass
    assert processes.cpu_seconds(os.getpid()) - before > 0.05
