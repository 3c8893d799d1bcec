from __future__ import annotations

from dataclasses import replace

import pytest

from cnncli.inspection.gradcheck import Attempt, GradcheckReport, SelfTestReport, TensorCheck, Verdict
from cnncli.inspection.views import ClassScore, Prediction, ReceptiveField, SummaryRow, SummaryView
from cnncli.render import tables
from cnncli.render.fitted import Column, Fitted, Heading
from tests.render.makers import draw, lines

NARROW = ReceptiveField((3, 3), (1, 1), (1, 1))
UNEVEN = ReceptiveField((6, 3), (2, 1), (1, 0))
SUMMARY = SummaryView(
    (1, 28, 28),
    (
        SummaryRow("conv1", "conv2d", ("input",), (6, 28, 28), 156, 117600, NARROW),
        SummaryRow("pool1", "max_pool2d", ("conv1",), (6, 14, 28), 0, 0, UNEVEN),
        SummaryRow("fc", "linear", ("pool1",), (10,), 1234567, 1230000, None),
    ),
    1234723,
    1347600,
)


def test_summary() -> None:
    assert lines(tables.summary(SUMMARY), width=100) == [
        "layer  type        inputs  output   parameters    MACs  receptive field",
        "───────────────────────────────────────────────────────────────────────",
        "input                      1x28x28",
        "conv1  conv2d      input   6x28x28         156   118 k  3 / 1 / 1",
        "pool1  max_pool2d  conv1   6x14x28                      6x3 / 2x1 / 1x0",
        "fc     linear      pool1   10        1,234,567  1.23 M  all",
        "",
        "total                                1,234,723  1.35 M",
        "MACs: multiply-accumulate operations for one sample.",
        "Receptive field: size / stride / padding.",
    ]


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (66, "layer  type        output   parameters    MACs  receptive field"),
        (52, "layer  output   parameters    MACs  receptive field"),
        (44, "layer  output   parameters    MACs"),
        (30, "layer  output   parameters"),
    ],
)
def test_summary_drops_what_matters_least(width: int, head: str) -> None:
    assert lines(tables.summary(SUMMARY), width=width)[0] == head


def test_predictions() -> None:
    boot = Prediction("boot[1].png", (ClassScore(9, "Ankle boot", 0.875), ClassScore(7, "Sneaker", 0.125)))
    assert lines(tables.predictions([boot, Prediction("b", (ClassScore(0, "0", 1.0),))])) == [
        "boot[1].png",
        "Ankle boot  █████████████████████     87.5%",
        "Sneaker     ███                       12.5%",
        "",
        "b",
        "0  ████████████████████████  100%",
    ]
    assert "###" in draw(tables.predictions([boot]), encoding="ascii")


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
)


def test_gradcheck() -> None:
    assert lines(tables.gradcheck(REPORT)) == [
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


def test_gradcheck_of_one_layer_has_no_empty_table() -> None:
    text = lines(tables.gradcheck(replace(REPORT, tensors=REPORT.tensors[1:2], verdict=Verdict.PASS, jittered=())))
    assert len(text) == 6
    assert text[-1] == "✓ PASS   1 PASS"


def test_gradcheck_verdicts_have_colours_and_in_ascii_no_symbols() -> None:
    sent = draw(tables.gradcheck(REPORT), color="standard")
    assert "\x1b[32m✓ PASS" in sent
    assert "\x1b[1;31m✗ FAIL" in sent
    assert "\x1b[33m~ KINK" in sent
    assert "FAIL" in draw(tables.gradcheck(REPORT), encoding="ascii")


def test_self_test() -> None:
    missed = Attempt("bias gradient dropped", "conv1", "bias", False, Verdict.PASS, 0.0, None)
    caught = Attempt("weight gradient x 2", "conv1", "weight", True, Verdict.FAIL, 0.5, "twice the true gradient")
    assert lines(tables.self_test(SelfTestReport(Verdict.PASS, Verdict.PASS, (caught,), ("leaky ReLU",)))) == [
        "planted error        in            verdict    error  hint",
        "────────────────────────────────────────────────────────────────────────────",
        "weight gradient x 2  conv1.weight  FAIL     5.0e-01  twice the true gradient",
        "",
        "✓ PASS   1 planted error found; no place here for: leaky ReLU",
    ]
    failed = SelfTestReport(Verdict.FAIL, Verdict.INCONCLUSIVE, (missed, caught), ())
    expected = "✗ FAIL   missed: bias gradient dropped; without errors the verdict is INCONCLUSIVE"
    assert lines(tables.self_test(failed))[-1] == expected


def test_a_heading_breaks_between_facts() -> None:
    heading = Heading("forward", [("input", "a b"), ("true", "c d")], "note")
    assert lines(heading, width=26) == ["forward   input a b", "true c d", "note", ""]
    assert lines(heading, width=40)[0] == "forward   input a b   true c d"


def test_a_table_without_headers_has_no_rule() -> None:
    assert lines(Fitted([Column("", ["a", "b"]), Column("", ["1", "2"])])) == ["a  1", "b  2"]
