"""Training steps a second, here and in PyTorch, interleaved in one run: forward, loss, backward, Adam.

    python -m benchmarks.training_step configs/mnist-keras.yaml --batch-size 128

Needs PyTorch. Both get the same number of threads, the same network with the same weights and the same batch,
which lies in memory; the losses are compared first. Only the ratio means anything on another machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from cnncli.config import load
from cnncli.engine import Executor, LossObjective, available_cores
from cnncli.graph import Model
from cnncli.training.optimizers import OPTIMIZERS
from tests.parity.compare import torch_loss
from tests.parity.twin import Twin

Step = Callable[[], float]


def main() -> None:
    """Prints images a second for both and their ratio, round by round and as medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="+")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    rounds = f"{arguments.rounds} rounds of {arguments.steps} steps"
    print(f"{available_cores()} threads, batch {arguments.batch_size}, {rounds}")
    for config in arguments.config:
        compare(config, arguments.batch_size, arguments.rounds, arguments.steps)


def compare(config: str, batch_size: int, rounds: int, steps: int) -> None:
    """One network."""
    experiment = load(config)
    rng = np.random.default_rng(0)
    x = rng.random((batch_size, *experiment.graph.input_shape), dtype=np.float32)
    shape = experiment.graph.shape_of(experiment.graph.logits(experiment.loss.link))
    labels = rng.integers(0, shape[0], batch_size)
    model = Model.create(experiment.graph, seed=0)
    theirs = torch_step(model, experiment.loss, x, labels, shape)
    with Executor(model) as executor:
        ours = cnncli_step(executor, experiment.loss, x, labels)
        losses = ours(), theirs()
        if not np.isclose(*losses, rtol=1e-3):
            raise SystemExit(f"the losses differ: {losses}")
        speeds = [(batch_size / seconds(ours, steps), batch_size / seconds(theirs, steps)) for _ in range(rounds)]
    ratios = sorted(a / b for a, b in speeds)
    cnncli, pytorch = (statistics.median(column) for column in zip(*speeds, strict=True))
    print(
        f"{experiment.name:16} cnncli {cnncli:8,.0f} images/s   PyTorch {torch.__version__} {pytorch:8,.0f} images/s   "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def cnncli_step(executor: Executor, loss: Any, x: Any, labels: Any) -> Step:
    """One step with this engine."""
    model, optimizer = executor.model, OPTIMIZERS["adam"]()
    state, count = optimizer.new_state(model.flat), 0

    def step() -> float:
        nonlocal count
        objective = LossObjective.of(loss, model.graph, labels)
        result = executor.differentiate(x, objective, training=True, step=count, update_buffers=True)
        count += 1
        optimizer.update(model.flat, result.flat_gradient, state, count)
        return result.value

    return step


def torch_step(model: Model, loss: Any, x: Any, labels: Any, shape: tuple[int, ...]) -> Step:
    """One step with PyTorch."""
    torch.set_num_threads(available_cores())
    twin = Twin(model.graph, record=False)
    twin.load_state_dict({key: torch.tensor(array) for key, array in model.state_dict().items()})
    optimizer = torch.optim.Adam(twin.parameters())
    inputs, at = torch.tensor(x), model.graph.logits(loss.link)

    def step() -> float:
        optimizer.zero_grad()
        value = torch_loss(loss, twin(inputs)[at], labels, shape)
        value.backward()
        optimizer.step()
        return value.item()

    return step


def seconds(step: Step, steps: int) -> float:
    """The median time of a step, after one to warm up."""
    step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
