from __future__ import annotations

from cnncli.inspection.views.attribution import SanityStep
from cnncli.render.terminal.randomization import randomization
from tests.render.makers import lines

NAN = float("nan")


def text(*steps: SanityStep, width: int = 80) -> list[str]:
    return lines(randomization(steps), width=width)


def test_a_row_for_each_layer() -> None:
    drawn = text(SanityStep("fc", True, (0.5,), (0.25,)), SanityStep("conv", True, (NAN,), (NAN,)))
    assert drawn[0].split("  ")[0] == "drawn anew, down to"
    assert [line.split()[0] for line in drawn[2:]] == ["nothing", "fc", "conv"]
    assert [line.split()[1] for line in drawn[2:]] == ["1.00", "0.50", "nan"]
    assert [line.split()[-1] for line in drawn[2:4]] == ["1.00", "0.25"]


def test_several_inputs_have_their_mean_and_their_range() -> None:
    drawn = text(SanityStep("fc", True, (0.25, 0.75), (0.25, 0.75)))
    assert "of 2 inputs" in drawn[0]
    assert "with signs" not in drawn[0]  # nothing is negative
    assert drawn[3].split()[1] == "0.50"
    assert drawn[3].endswith("0.25 to 0.75")


def test_layers_whose_numbers_stay_are_named() -> None:
    drawn = text(SanityStep("fc", True, (0.5,), (0.5,)), SanityStep("conv", False, (0.5,), (0.5,)))
    assert drawn[-1] == "Drawn anew, these numbers stay what they are: conv."


def test_narrow_terminals() -> None:
    steps = [SanityStep(f"layer{index}", True, (0.5, 0.6), (0.1, -0.2)) for index in range(3)]
    for width in (40, 60):
        assert max(map(len, text(*steps, width=width))) <= width
