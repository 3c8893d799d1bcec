"""A gradient check as a table, with hints, maps and a conclusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnncli.inspection.gradcheck import Attempt, GradcheckReport, SelfTestReport, TensorCheck, Verdict
from cnncli.render.terminal import gradcheck as drawn
from tests.render.makers import board, draw, lines, tensor

REPORT = GradcheckReport(
    Verdict.FAIL,
    (
        TensorCheck(
            *("conv1", "weight", "layer", Verdict.FAIL, 0.5, (0, 1, 2, 3), 1.25, 2.5),
            checked=16,
            hint="half the true gradient",
        ),
        TensorCheck("conv1", "bias", "layer", Verdict.PASS, 0.0, (0,), 0.0, 0.0, checked=14, kinks=2),
        TensorCheck("loss", "input", "layer", Verdict.KINK, kinks=16),
        TensorCheck("conv1", "weight", "network", Verdict.UNCHECKED, unchecked=16, hint="hidden by rounding"),
        TensorCheck("input", "input", "network", Verdict.PASS, 3e-12, (1,), 0.1, 0.1, checked=16),
    ),
    samples=3,
    seed=0,
    jittered=("conv1.bias",),
    maps=(),
)


def test_gradcheck() -> None:
    assert lines(drawn.gradcheck(REPORT)) == [
        "each layer alone: on its inputs in the network, with a random upstream gradient",
        "tensor        verdict    error  checked  kinks  worst at      analytic  numeric",
        "───────────────────────────────────────────────────────────────────────────────",
        "conv1.weight  ✗ FAIL   5.0e-01       16      0  [0, 1, 2, 3]     1.250    2.500",
        "conv1.bias    ✓ PASS         0       14      2  [0]                  0        0",
        "loss.input    ~ KINK         -        0     16  -                    -        -",
        "conv1.weight: half the true gradient",
        "",
        "the whole network: its loss",
        "tensor        verdict        error  checked  unchecked  worst at  analytic  numeric",
        "───────────────────────────────────────────────────────────────────────────────────",
        "conv1.weight  ? UNCHECKED        -        0         16  -                -        -",
        "input         ✓ PASS       3.0e-12       16          0  [1]         0.1000   0.1000",
        "conv1.weight: hidden by rounding",
        "",
        "all 0, so checked at small random numbers instead: conv1.bias",
        "✗ FAIL   1 FAIL, 2 PASS, 1 KINK, 1 UNCHECKED",
    ]


def test_where_it_is_narrow_the_two_numbers_go_together() -> None:
    heads = [lines(drawn.gradcheck(REPORT), width=width)[1] for width in range(30, 80)]
    assert all(("analytic" in head) == ("numeric" in head) for head in heads)
    assert len({"numeric" in head for head in heads}) == 2


@pytest.mark.parametrize(
    ("count", "names"), [(2, "t0.weight, t1.weight"), (7, "t0.weight, t1.weight, t2.weight, t3.weight and 3 more")]
)
def test_a_hint_about_several_tensors_stands_once(count: int, names: str) -> None:
    rows = tuple(TensorCheck(f"t{i}", "weight", "layer", Verdict.FAIL, hint="its sign is wrong") for i in range(count))
    text = lines(drawn.gradcheck(replace(REPORT, tensors=rows)))
    assert [line for line in text if "sign" in line] == [f"{names}: its sign is wrong"]


def test_a_narrow_terminal_keeps_the_verdicts() -> None:
    text = lines(drawn.gradcheck(REPORT), width=40)
    assert text[2].split() == ["tensor", "verdict", "error", "kinks"]
    assert "conv1.weight: half the true gradient" in text


def test_gradcheck_of_one_layer_has_no_empty_table() -> None:
    text = lines(drawn.gradcheck(replace(REPORT, tensors=REPORT.tensors[1:2], verdict=Verdict.PASS, jittered=())))
    assert len(text) == 6
    assert text[-1] == "✓ PASS   1 PASS"


def test_verdicts_have_colours_and_in_ascii_no_symbols() -> None:
    sent = draw(drawn.gradcheck(REPORT), color="standard")
    assert "\x1b[32m✓ PASS" in sent
    assert "\x1b[1;31m✗ FAIL" in sent
    assert "\x1b[33m~ KINK" in sent
    assert "FAIL" in draw(drawn.gradcheck(REPORT), encoding="ascii")


def test_maps_stand_between_the_tables_and_the_conclusion() -> None:
    maps = board(tensor(np.eye(4)[None], what="difference"), name="gradcheck", notes="2 more gradients are wrong")
    text = lines(drawn.gradcheck(REPORT, maps))
    place = next(number for number, line in enumerate(text) if line.startswith("gradcheck"))
    assert text.index("conv1.weight: hidden by rounding") < place
    assert any("difference" in line for line in text[place:])
    assert text.index("2 more gradients are wrong") > place
    assert text[-1] == "✗ FAIL   1 FAIL, 2 PASS, 1 KINK, 1 UNCHECKED"
    assert lines(drawn.gradcheck(REPORT, replace(maps, sheets=()))) == lines(drawn.gradcheck(REPORT))


MISSED = Attempt("bias gradient dropped", "conv1", "bias", False, Verdict.PASS, 0.0, None)
CAUGHT = Attempt("weight gradient x 2", "conv1", "weight", True, Verdict.FAIL, 0.5, "twice the true gradient")


@pytest.mark.parametrize("width", [60, 100])
def test_self_test_has_a_hint_below_each_error(width: int) -> None:
    report = SelfTestReport(Verdict.PASS, Verdict.PASS, (CAUGHT,), ())
    assert lines(drawn.self_test(report), width=width) == [
        "planted error        in            verdict    error",
        "weight gradient x 2  conv1.weight  FAIL     5.0e-01",
        "  twice the true gradient",
        "",
        "✓ PASS   1 planted error found",
    ]


def test_self_test_tells_what_was_missed_and_what_has_no_place() -> None:
    report = SelfTestReport(Verdict.FAIL, Verdict.INCONCLUSIVE, (MISSED, CAUGHT), ("leaky ReLU",))
    text = lines(drawn.self_test(report), width=120)
    assert text[1:3] == ["bias gradient dropped  conv1.bias    PASS           0", "  nothing was said"]
    assert text[-1] == (
        "✗ FAIL   missed: bias gradient dropped; without errors the verdict is INCONCLUSIVE; "
        "no place here for: leaky ReLU"
    )
    assert "\x1b[1;31mPASS" in draw(drawn.self_test(report), color="standard")
