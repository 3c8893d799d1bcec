from __future__ import annotations

from dataclasses import replace

import pytest

from cnncli.inspection.bench import Bench, Cost, LayerCosts, Speed, Spread
from cnncli.render.terminal import bench as tables
from tests.render.makers import draw, lines

COSTS = LayerCosts(
    rows=(
        Cost.of("conv1", "conv2d", (0.001, 0.003), shape=(6, 28, 28), flops=80_000_000, floor=0.002),
        Cost.of("relu1", "relu", (0.0005, 0.0005), shape=(6, 28, 28)),
        Cost.of("softmax1", "softmax", (0.0, 0.0), shape=(10,)),
    ),
    loss=Cost.of("loss", "cross_entropy", (0.001, 0.001)),
    engine=Cost.of("engine", "", (0.0005, 0.0005)),
    total=Cost.of("total", "", (0.003, 0.005), flops=80_000_000, floor=0.002),
)
BENCH = Bench(
    name="tiny",
    dtype="float32",
    workers=2,
    optimizer="adam",
    parameters=61706,
    macs=416520,
    batch_size=1024,
    micro_batch=32,
    training=Speed(Spread(12000.4, 9000, 12500), 40),
    inference=Speed(Spread(50000, 40000, 60000), 120),
    peak_memory_bytes=101_000_000,
    layers=None,
)


def test_speeds() -> None:
    assert lines(tables.bench([BENCH]), width=100) == [
        "tiny   parameters 61,706   MACs 417 k   optimizer adam   dtype float32   workers 2",
        "",
        "batch  micro-batch             images/s     min     max  steps  peak memory",
        "───────────────────────────────────────────────────────────────────────────",
        "1,024           32  training     12,000   9,000  12,500     40       101 MB",
        "                    inference    50,000  40,000  60,000    120",
        "",
        "Only ratios within one run on a quiet machine mean something.",
    ]


def test_several_batch_sizes_are_one_table() -> None:
    shown = lines(tables.bench([replace(BENCH, batch_size=8, micro_batch=8), BENCH]))
    assert [line.split()[0] for line in shown[4:8]] == ["8", "inference", "1,024", "inference"]


def test_memory_that_nobody_knows() -> None:
    assert lines(tables.bench([replace(BENCH, peak_memory_bytes=None)]))[4].split()[-1] == "-"


def test_layers() -> None:
    assert lines(tables.bench([replace(BENCH, layers=COSTS)]), width=110)[7:] == [
        "layers at batch 1,024: a training step on one thread, without the update",
        "layer     type           output   forward ms  backward ms   time                GFLOP/s  floor",
        "──────────────────────────────────────────────────────────────────────────────────────────────",
        "conv1     conv2d         6x28x28       1.000        3.000  50.0%  ████████████     20.0    50%",
        "relu1     relu           6x28x28       0.500        0.500  12.5%  ███",
        "softmax1  softmax        10                                   0%",
        "loss      cross_entropy                1.000        1.000  25.0%  ██████",
        "engine                                 0.500        0.500  12.5%  ███",
        "",
        "total                                  3.000        5.000                          10.0    25%",
        "",
        "Floor: the share of the time that plain matrix products of these sizes take.",
        "Above 100% the engine makes them quicker, in panels that suit the cache.",
        "Only ratios within one run on a quiet machine mean something.",
    ]


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (79, "layer     type           output   forward ms  backward ms  GFLOP/s  floor"),
        (70, "layer     output   forward ms  backward ms  GFLOP/s  floor"),
        (50, "layer     forward ms  backward ms  GFLOP/s  floor"),
    ],
)
def test_what_does_not_fit_is_left_out(width: int, head: str) -> None:
    shown = lines(tables.bench([replace(BENCH, layers=COSTS)]), width=width)
    assert head in shown
    assert max(map(len, shown)) <= width


def test_ascii() -> None:
    assert "############" in draw(tables.bench([replace(BENCH, layers=COSTS)]), width=110, encoding="ascii")
