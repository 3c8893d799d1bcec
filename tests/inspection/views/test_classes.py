from __future__ import annotations

import numpy as np

from cnncli.inspection.views.classes import top_classes


def test_the_most_probable_classes() -> None:
    top = top_classes(np.array([0.2, 0.5, 0.3]), ("cat", "dog", "eel"), 2)
    assert [(each.class_, each.name, each.probability) for each in top] == [(1, "dog", 0.5), (2, "eel", 0.3)]
    assert top_classes(np.array([1.0]), None)[0].name == "0"
