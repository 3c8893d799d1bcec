from __future__ import annotations

import numpy as np

from cnncli.inspection import views


def test_the_most_probable_classes() -> None:
    top = views.top_classes(np.array([0.2, 0.5, 0.3]), ("cat", "dog", "eel"), 2)
    assert [(each.class_, each.name, each.probability) for each in top] == [(1, "dog", 0.5), (2, "eel", 0.3)]
    assert views.top_classes(np.array([1.0]), None)[0].name == "0"
