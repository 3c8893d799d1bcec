from __future__ import annotations

from cnncli.inspection.views.classes import ClassScore, Prediction
from cnncli.render.terminal.predictions import predictions
from tests.render.makers import draw, lines


def test_predictions() -> None:
    boot = Prediction("boot[1].png", (ClassScore(9, "Ankle boot", 0.875), ClassScore(7, "Sneaker", 0.125)))
    assert lines(predictions([boot, Prediction("b", (ClassScore(0, "0", 1.0),))])) == [
        "boot[1].png",
        "Ankle boot  █████████████████████     87.5%",
        "Sneaker     ███                       12.5%",
        "",
        "b",
        "0  ████████████████████████  100%",
    ]
    assert "###" in draw(predictions([boot]), encoding="ascii")
