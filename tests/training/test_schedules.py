"""Every schedule follows PyTorch's, and keeps the contract on any training."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cnncli.training.schedules import SCHEDULES, Cosine, Horizon, MultiStep, OneCycle, Plateau, Schedule, Step

from .schedule_cases import CASES, HORIZON, LR, REFERENCE, judged_in, ours, theirs

TORCH = pytest.param("torch", marks=pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed"))
HORIZONS = st.builds(lambda epochs, batches: Horizon(epochs * batches, batches), st.integers(1, 30), st.integers(1, 20))


def of(name: str) -> Schedule:
    kind, options = CASES[name]
    return SCHEDULES[kind](**options)


def test_every_schedule_and_every_option_is_in_the_table() -> None:
    assert {kind for kind, _ in CASES.values()} == set(SCHEDULES)
    common = {option for _, options in CASES.values() for option in options if option in ("unit", "warmup")}
    assert common == {"unit", "warmup"}
    for name, kind in SCHEDULES.items():
        covered = {option for case, options in CASES.values() if case == name for option in options}
        left = set(kind.model_fields) - covered - {"unit", "warmup", "warmup_factor"}
        assert not left, f"{name}: {left} in no case"


@pytest.mark.parametrize("source", ["stored", TORCH])
@pytest.mark.parametrize("name", CASES)
def test_two_hundred_steps_are_pytorchs(name: str, source: str) -> None:
    expected = theirs(name) if source == "torch" else np.load(REFERENCE)[name]
    np.testing.assert_allclose(ours(name), expected, rtol=0, atol=1e-14 * LR)


@pytest.mark.parametrize("name", CASES)
@given(horizon=HORIZONS, judged=st.lists(st.floats(-1e6, 1e6), max_size=20))
@settings(deadline=None, max_examples=20)
def test_a_factor_is_a_share_for_any_training(name: str, horizon: Horizon, judged: list[float]) -> None:
    """Also where the warm-up is longer than the training; and it depends on nothing but what is given."""
    schedule = of(name)
    factors = [schedule.multiplier(step, horizon, judged) for step in range(horizon.steps)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert [schedule.multiplier(step, horizon, judged) for step in reversed(range(horizon.steps))] == factors[::-1]


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_after_a_resume_at_any_step(name: str) -> None:
    rates, schedule, judged = ours(name), of(name), judged_in(name)
    for step in range(0, HORIZON.steps, 7):
        again = SCHEDULES[schedule.type](**schedule.model_dump(mode="json"))
        so_far = judged[: step // HORIZON.steps_per_epoch]
        assert LR * again.multiplier(step, HORIZON, so_far) == rates[step]


@pytest.mark.parametrize("name", [name for name in CASES if "warmup" in name and "steps" not in name])
def test_a_warm_up_rises_from_update_to_update_to_the_schedule_itself(name: str) -> None:
    kind, options = CASES[name]
    begin = round(options["warmup"] * HORIZON.steps_per_epoch)
    share = ours(name) / LR
    assert share[0] == pytest.approx(options.get("warmup_factor", 0.01))
    first_epoch = share[: min(begin, HORIZON.steps_per_epoch)]
    assert np.all(np.diff(first_epoch) > 0)
    if kind != "cosine":  # which begins at its end
        without = SCHEDULES[kind](**{**options, "warmup": 0})
        so_far = judged_in(name)[: begin // HORIZON.steps_per_epoch]
        assert share[begin] == pytest.approx(without.multiplier(begin, HORIZON, so_far))


@pytest.mark.parametrize("horizon", [Horizon(1, 1), Horizon(2, 1), Horizon(10, 5)])
@pytest.mark.parametrize("pct_start", [0.0, 0.1, 0.5, 1.0])
def test_one_cycle_of_a_few_steps(horizon: Horizon, pct_start: float) -> None:
    """PyTorch divides by zero in some of these."""
    schedule = OneCycle(pct_start=pct_start)
    factors = [schedule.multiplier(step, horizon) for step in range(horizon.steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[-1] == pytest.approx(1 if pct_start * horizon.steps >= horizon.steps else 1 / 25e4)


def test_the_whole_cosine_is_gone_through() -> None:
    horizon = Horizon(1000, 100)
    schedule = Cosine(end_factor=0.1)
    assert schedule.multiplier(0, horizon) == 1
    assert schedule.multiplier(500, horizon) == pytest.approx(0.55)
    assert schedule.multiplier(999, horizon) == pytest.approx(0.1, abs=1e-5)


def test_epochs_are_stairs_and_steps_are_not() -> None:
    horizon = Horizon(100, 10)
    assert [Step(step_size=1).multiplier(step, horizon) for step in (0, 9, 10, 19)] == pytest.approx([1, 1, 0.1, 0.1])
    milestones = MultiStep(milestones=(3, 5), unit="steps")
    assert [milestones.multiplier(step, horizon) for step in (2, 3, 4, 5)] == pytest.approx([1, 0.1, 0.1, 0.01])


@pytest.mark.parametrize("mode", ["rel", "abs"])
def test_a_plateau_bears_any_numbers(mode: str) -> None:
    schedule = Plateau(patience=1, factor=0.5, threshold_mode=mode)
    judged = [math.inf, math.inf, -math.inf, math.nan, math.nan]
    assert [schedule.multiplier(0, HORIZON, judged[:count]) for count in range(6)] == [1, 1, 0.5, 0.5, 0.5, 0.25]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("constant", {"warmup": -1}, "greater than or equal to 0"),
        ("constant", {"warmup": math.inf}, "finite number"),
        ("constant", {"warmup_factor": 2}, "less than or equal to 1"),
        ("constant", {"unit": "batches"}, "'epochs' or 'steps'"),
        ("step", {}, "step_size\n  Field required"),
        ("step", {"step_size": 0}, "greater than or equal to 1"),
        ("step", {"step_size": 2, "gamma": 0}, "greater than 0"),
        ("multistep", {"milestones": ()}, "at least 1 item"),
        ("multistep", {"milestones": (3, 5, 4)}, r"at \[2\]: expected ascending numbers, but 4 comes after 5"),
        ("multistep", {"milestones": (3, 3)}, r"at \[1\]: expected ascending numbers, but 3 comes after 3"),
        ("multistep", {"milestones": (0, 3)}, "greater than or equal to 1"),
        ("exponential", {"gamma": 1.1}, "less than or equal to 1"),
        ("cosine", {"end_factor": -0.1}, "greater than or equal to 0"),
        ("cosine", {"eta_min": 0}, "Extra inputs are not permitted"),
        ("one_cycle", {"pct_start": 1.5}, "less than or equal to 1"),
        ("one_cycle", {"div_factor": 0}, "greater than or equal to 1"),
        ("one_cycle", {"warmup": 1}, "Extra inputs are not permitted"),
        ("one_cycle", {"anneal_strategy": "cosine"}, "'cos' or 'linear'"),
        ("plateau", {"factor": 0}, "greater than 0"),
        ("plateau", {"patience": -1}, "greater than or equal to 0"),
        ("plateau", {"threshold": math.nan}, "finite number"),
    ],
)
def test_bad_options(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SCHEDULES[kind](**options)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_option_is_described(name: str) -> None:
    fields = SCHEDULES[name].model_fields
    assert all(field.description for field in fields.values()), [key for key in fields if not fields[key].description]
