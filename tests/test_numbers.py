"""A number that is too small is refused by every function, in the words of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cnncli
from cnncli.errors import UsageError
from cnncli.inspection.views.pick import Pick

CONFIG: dict[str, Any] = {
    "model": {"input": [1, 8, 8], "layers": [{"type": "conv2d", "name": "conv", "out_channels": 2, "kernel_size": 3}]},
    "loss": "mse",
}
NEEDED: dict[str, dict[str, Any]] = {
    "evolution": {"run": "nowhere"},
    "predict": {"input": "train:0"},
    "saliency": {"method": "smoothgrad"},
    "trace": {"layer": "conv"},
}
"""Without which a function is not asked."""
NAMES = {("evolution", "columns"): "--steps"}
"""What the command line has another name for."""
LEAST = {("confusion", "top"): 0, ("contact_sheet", "versions"): 0, ("evolution", "columns"): 2, "seed": 0, "sample": 0}
NO_AMOUNTS = {
    ("trace", "channel"),
    ("gradcheck", "seed"),
    ("self_test", "seed"),
    ("train", "seed"),
    ("dry_run", "seed"),
}
"""They are refused in words of their own."""


def amounts() -> Iterator[tuple[str, str]]:
    """Every whole number that a public function takes."""
    for name in cnncli.__all__:
        function = getattr(cnncli, name)
        if inspect.isfunction(function):
            taken = inspect.signature(function).parameters.values()
            yield from ((name, each.name) for each in taken if each.annotation in ("int", "int | None"))


AMOUNTS = [each for each in amounts() if each not in NO_AMOUNTS]


@pytest.mark.parametrize(("function", "name"), AMOUNTS, ids=lambda each: each)
def test_nothing_is_no_amount(function: str, name: str) -> None:
    call: Callable[..., Any] = getattr(cnncli, function)
    given = dict(NEEDED.get(function, {}))
    if "run" not in given:
        given["config"] = CONFIG
    least = LEAST.get((function, name), LEAST.get(name, 1))
    for value in (least - 1, least - 2):
        with pytest.raises(UsageError) as raised:
            call(**given, **{name: value})
        option = NAMES.get((function, name), "--" + name.replace("_", "-"))
        assert str(raised.value).startswith(f"{option} {value}: ")


def test_there_is_an_end_to_amounts() -> None:
    with pytest.raises(UsageError, match=r"--batch-size 10+: expected at most 2147483647"):
        cnncli.bench(CONFIG, batch_size=10**30)


def test_the_table_is_not_empty() -> None:
    assert len(AMOUNTS) >= 20


@pytest.mark.parametrize("function", ["forward", "trace", "gradients", "patches"])
def test_the_options_of_a_session_are_looked_at_too(function: str) -> None:
    with pytest.raises(UsageError, match="--workers 0: expected at least 1"):
        getattr(cnncli, function)(CONFIG, **NEEDED.get(function, {}), workers=0)


def test_no_channels_are_no_choice() -> None:
    with pytest.raises(UsageError, match="--top 0: expected at least 1"):
        Pick(top=0)
