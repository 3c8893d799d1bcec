"""Groups of options: dataclasses that become single options of a command."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Annotated

import pytest
import typer

from cnncli.cli.panels import COMPUTING, INPUT, PANELS
from cnncli.cli.signature import flat

Seed = Annotated[int, typer.Option("--seed", rich_help_panel=COMPUTING)]
Name = Annotated[str, typer.Option("--name", rich_help_panel=INPUT)]


@dataclass(frozen=True)
class Group:
    name: Name
    seed: Seed = 3

    @property
    def text(self) -> str:
        return f"{self.name}{self.seed}"


def test_a_group_is_put_together_from_its_options() -> None:
    said = []

    def command(group: Group, loud: Annotated[bool, typer.Option("--loud")] = False) -> None:
        """What it does."""
        said.append((group.text, loud))

    made = flat(command)
    assert made.__doc__ == "What it does."
    made(name="x", seed=5, loud=True)
    assert said == [("x5", True)]


def test_options_keep_their_defaults_and_are_sorted_by_panel() -> None:
    def command(group: Group, loud: Annotated[bool, typer.Option("--loud")] = False) -> None: ...

    parameters = signature(flat(command)).parameters
    assert list(parameters) == ["loud", "name", "seed"]
    assert [each.default for each in parameters.values()] == [False, Parameter.empty, 3]
    assert PANELS.index(INPUT) < PANELS.index(COMPUTING)


def test_typer_reads_it() -> None:
    app = typer.Typer()
    said = []

    def command(group: Group) -> None:
        said.append(group.text)

    app.command()(flat(command))
    app(["--name", "x", "--seed", "8"], standalone_mode=False)
    assert said == ["x8"]
    with pytest.raises(SystemExit) as ended:
        app([])
    assert ended.value.code == 2  # --name is missing
