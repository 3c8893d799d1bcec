from __future__ import annotations

import numpy as np
import pytest

from cnncli.layers.dropout import Dropout
from tests.layers.harness import apply


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_the_expected_value_stays(p: float) -> None:
    x = np.ones((100, 200))
    y = apply(Dropout(p=p), {}, [x], training=True).y
    assert set(np.unique(y).round(12)) <= {0.0, round(1 / (1 - p), 12)}
    assert (y == 0).mean() == pytest.approx(p, abs=0.02)
    assert y.mean() == pytest.approx(1, abs=0.07)


def test_everything_may_be_dropped() -> None:
    passed = apply(Dropout(p=1), {}, [np.ones((2, 3))], np.ones((2, 3)), training=True)
    np.testing.assert_array_equal(passed.y, 0)
    np.testing.assert_array_equal(passed.dxs[0], 0)


def test_the_gradient_passes_where_the_value_did() -> None:
    passed = apply(Dropout(p=0.5), {}, [np.ones((5, 40))], np.full((5, 40), 3.0), training=True)
    np.testing.assert_array_equal(passed.dxs[0], 3 * passed.y)


def test_every_precision_has_the_same_mask() -> None:
    single, double = (apply(Dropout(), {}, [np.ones((5, 40))], training=True, dtype=d).y for d in ("f4", "f8"))
    np.testing.assert_array_equal(single, double)


def test_inference_hands_the_input_on() -> None:
    passed = apply(Dropout(p=0.9), {}, [np.ones((2, 3))], np.ones((2, 3)))
    np.testing.assert_array_equal(passed.y, 1)
    np.testing.assert_array_equal(passed.dxs[0], 1)
