"""Helper processes: the same numbers with and without them, whatever happens to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import Executor, LossObjective
from cnncli.engine.channel import Channel, PeerLostError
from cnncli.engine.memory import Block
from cnncli.engine.plan import cut
from cnncli.engine.team import POSSIBLE
from cnncli.graph import Model
from tests.engine.networks import data, residual

Array = NDArray[Any]

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="the system cannot hand memory from process to process")


def helpers(executor: Executor) -> list[int]:
    """Their process numbers."""
    team = executor._team
    return [] if team is None else [helper.process.pid for helper in team.helpers]


def is_alive(pid: int) -> bool:
    """Not counting, where the system tells, those that have ended and that nobody has asked about."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def numbers(executor: Executor, samples: int = 150, steps: int = 2) -> list[Array]:
    """All that training steps and inference come to."""
    x, objective = data(executor.model.graph, samples)
    for step in range(steps):
        result = executor.differentiate(
            x, objective, training=True, step=step, update_buffers=True, everything=step == steps - 1
        )
    assert result.input_gradient is not None
    found = [result.flat_gradient.copy(), result.values, result.output, result.input_gradient, executor.infer(x)]
    return [*found, *executor.model.state_dict().values()]


def alone(samples: int = 150) -> list[Array]:
    with Executor(Model.create(residual()), workers=1, seed=7) as executor:
        return numbers(executor, samples)


def assert_same(one: list[Array], other: list[Array]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_same_bits_with_helpers(workers: int) -> None:
    with Executor(Model.create(residual()), workers=workers, seed=7) as executor:
        executor.start()
        assert_same(numbers(executor), alone())
        assert executor.helpers == workers - 1  # none was lost on the way


def test_no_more_helpers_than_a_batch_has_work_for() -> None:
    with Executor(Model.create(residual()), workers=8) as executor:
        executor.start(samples=5)
        assert executor.helpers == 0
        executor.start(samples=40)
        assert executor.helpers == len(cut(executor.model.graph, 40)) - 1 == 1


def test_batches_of_any_size_follow_each_other() -> None:
    with Executor(Model.create(residual()), workers=2, seed=7) as executor:
        executor.start()
        for samples in (40, 300, 3, 150):
            executor.infer(data(executor.model.graph, samples)[0])
        assert_same(numbers(executor), alone())
        assert executor.helpers == 1


def test_helpers_come_when_there_is_work_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.engine.executor.START_SECONDS", 1e-9)
    with Executor(Model.create(residual()), workers=8) as executor:
        x, objective = data(executor.model.graph, 150)
        few = LossObjective(objective.at, objective.loss, objective.targets[..., :5])
        for step in range(3):
            executor.differentiate(x[:5], few, step=step)
            assert not helpers(executor)
        for step in range(2):
            executor.differentiate(x, objective, step=step)
        pids = helpers(executor)
        assert pids
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


def test_a_killed_helper_costs_no_number() -> None:
    with Executor(Model.create(residual()), workers=2, seed=7) as executor:
        executor.start()
        (pid,) = helpers(executor)
        x, objective = data(executor.model.graph, 150)
        executor.differentiate(x, objective, training=True)
        os.kill(pid, signal.SIGKILL)
        assert_same(numbers(executor), alone())
        assert pid not in helpers(executor)
        executor.start()  # another one
        assert executor.helpers == 1
        assert_same(numbers(executor)[:4], alone()[:4])
        assert executor.helpers == 1


def test_a_helper_that_does_not_come_up_costs_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for executable in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        with Executor(Model.create(residual()), workers=2, seed=7) as executor:
            executor.start()
            assert_same(numbers(executor), alone())


class Broken(LossObjective):
    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        if samples.start == 0:
            raise RuntimeError("in the first micro-batch")
        return super().evaluate(y, samples)


def test_an_error_leaves_no_helper_waiting() -> None:
    with Executor(Model.create(residual()), workers=2, seed=7) as executor:
        executor.start()
        x, objective = data(executor.model.graph, 150)
        broken = Broken(objective.at, objective.loss, objective.targets)
        pids = helpers(executor)
        with pytest.raises(RuntimeError, match="first micro-batch"):
            executor.differentiate(x, broken, training=True)
        assert not any(map(is_alive, pids))
        assert_same(numbers(executor), alone())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_helpers_end_with_their_process_however_it_ends(end: signal.Signals) -> None:
    script = (
        "from cnncli.engine import Executor; from cnncli.graph import Model\n"
        "from tests.engine.networks import residual; from tests.engine.test_team import helpers\n"
        "import time; executor = Executor(Model.create(residual()), workers=2); executor.start()\n"
        "print(*helpers(executor), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.send_signal(end)
        process.wait(30)
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(pid)


def test_a_warm_step_allocates_next_to_nothing() -> None:
    with Executor(Model.create(residual()), workers=2) as executor:
        executor.start()
        x, objective = data(executor.model.graph, 128)
        for step in range(3):
            executor.differentiate(x, objective, training=True, step=step)
        tracemalloc.start()
        executor.differentiate(x, objective, training=True, step=3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1_000_000


def test_messages_arrive_whole_and_in_order() -> None:
    one, other = (Channel(end) for end in socket.socketpair())
    assert not other.has_message()
    one.send({"small": 1})
    one.send(np.arange(200))
    assert other.has_message()
    assert other.receive() == {"small": 1}
    np.testing.assert_array_equal(other.receive(), np.arange(200))
    one.close()
    with pytest.raises(PeerLostError):
        other.has_message()
    with pytest.raises(PeerLostError):
        other.receive()
    other.close()


def test_what_cannot_be_sent_is_computed_here() -> None:
    class Local(LossObjective):
        """Known to nobody else."""

    with Executor(Model.create(residual()), workers=2, seed=7) as executor:
        executor.start()
        x, objective = data(executor.model.graph, 150)
        local = Local(objective.at, objective.loss, objective.targets)
        found = executor.differentiate(x, local, training=True)
    with Executor(Model.create(residual()), workers=1, seed=7) as executor:
        np.testing.assert_array_equal(executor.differentiate(x, objective, training=True).values, found.values)


def test_two_executors_of_one_model_see_the_same_numbers() -> None:
    model = Model.create(residual())
    x, objective = data(model.graph, 150)
    with Executor(model, workers=2) as one, Executor(model, workers=2) as other:
        one.start()
        other.start()
        for _ in range(3):
            model.flat -= one.differentiate(x, objective, training=True, update_buffers=True).flat_gradient
            np.testing.assert_array_equal(one.infer(x), other.infer(x))
            assert (one.helpers, other.helpers) == (1, 1)


def test_a_closed_executor_starts_no_helpers() -> None:
    executor = Executor(Model.create(residual()), workers=2, seed=7)
    executor.close()
    executor.close()
    executor.start()
    assert_same(numbers(executor), alone())
    assert executor.helpers == 0


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 on: pytest has threads
def test_a_forked_child_leaves_the_helpers_alone() -> None:
    with Executor(Model.create(residual()), workers=2, seed=7) as executor:
        executor.start()
        expected = alone()
        child = os.fork()
        if not child:
            same = all(map(np.array_equal, numbers(executor), expected))
            os._exit(0 if same and executor.helpers == 0 else 1)
        assert_same(numbers(executor), expected)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert executor.helpers == 1


def test_memory_is_shared_by_its_descriptor() -> None:
    block = Block.create(64)
    other = Block(os.dup(block.descriptor), 64)
    block.array((4,), np.float32, 16)[...] = [1, 2, 3, 4]
    assert other.array((4,), np.float32, 16).tolist() == [1, 2, 3, 4]
    array = other.array((2,), np.float32, 16)
    del other
    assert array.tolist() == [1, 2]
