from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, LogitObjective, Recording, record_backward, record_forward
from cnncli.graph import Model
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, batch, chain


@pytest.fixture(scope="package")
def model() -> Model:
    return Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)


@pytest.fixture(scope="package")
def forward(model: Model) -> Recording:
    with Executor(model) as executor:
        return record_forward(executor, batch())


@pytest.fixture(scope="package")
def backward(model: Model) -> Recording:
    with Executor(model) as executor:
        return record_backward(executor, batch(), LogitObjective("linear1", np.array([[2]])))
