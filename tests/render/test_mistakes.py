from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnncli.inspection.views.mistakes import Mistake, MistakesView
from cnncli.render.png.mistakes import save_mistakes
from cnncli.render.terminal.mistakes import mistakes
from tests.render.makers import lines

BOOT = np.full((28, 28), 128, np.uint8)
WRONG = Mistake("test:787", 10.4391, "Trouser", "Dress", False, 0.99996, 0.00003, BOOT)
RIGHT = Mistake("test:4", 0.69, "Shirt", "Shirt", True, 0.5, 0.5, BOOT)
VIEW = MistakesView("test", 1000, 0.4798, 178, (WRONG, RIGHT), 0)


def test_pictures_then_a_table() -> None:
    shown = lines(mistakes(VIEW), width=80)
    assert shown[0] == "mistakes   input test"
    assert "test:787: Trouser > Dress     test:4: Shirt" in shown
    assert shown[-6:] == [
        "1,000 samples, mean loss 0.4798, 178 taken for another class",
        "",
        "input       loss  true     predicted  probability  of the true class",
        "────────────────────────────────────────────────────────────────────",
        "test:787   10.44  Trouser  Dress           >99.9%              <0.1%",
        "test:4    0.6900  Shirt    Shirt            50.0%              50.0%",
    ]


def test_a_class_whose_name_cannot_be_drawn_is_a_number_in_a_png(tmp_path: Path) -> None:
    odd = replace(WRONG, true="犬", numbers=(4, 1))
    *_, manifest = save_mistakes(replace(VIEW, mistakes=(odd, replace(odd, numbers=None))), tmp_path)
    (row,) = json.loads(manifest.read_text())["files"][0]["rows"]
    assert row["tiles"] == ["test:787: class 4 > Dress (100%)", "test:787: 犬 > Dress (100%)"]


def test_narrow_terminals_keep_what_matters_most() -> None:
    assert "test:787   10.44  Trouser  Dress           >99.9%" in lines(mistakes(VIEW), width=50)
    assert "test:787   10.44  Trouser  Dress" in lines(mistakes(VIEW), width=40)


def test_numbers_have_no_probabilities_and_what_cannot_be_seen_no_pictures() -> None:
    number = replace(
        WRONG, true="1.5", predicted=None, right=None, probability=None, true_probability=None, picture=None
    )
    shown = lines(mistakes(replace(VIEW, wrong=None, mistakes=(number,))), width=80)
    assert shown == [
        "mistakes   samples test",
        "1,000 samples, mean loss 0.4798",
        "",
        "input      loss  true  predicted",
        "────────────────────────────────",
        "test:787  10.44  1.5   -",
    ]
