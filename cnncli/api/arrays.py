"""The arrays of a recording under the names that files have for them."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Recording
from cnncli.engine.names import ACTIVATION, GRADIENT, PARAMETER, PARAMETER_GRADIENT, ArrayName
from cnncli.errors import UsageError
from cnncli.files import write_atomic
from cnncli.graph import Model

Array = NDArray[Any]


def activation_arrays(recording: Recording) -> dict[str, Array]:
    """`activation/<node>`, (N, *shape)."""
    return {str(ArrayName(ACTIVATION, name)): array for name, array in recording.activations.items()}


def gradient_arrays(recording: Recording) -> dict[str, Array]:
    """`gradient/<node>`, (N, *shape), and `parameter_gradient/<node>.<key>`."""
    values = {str(ArrayName(GRADIENT, name)): array for name, array in recording.gradients.items()}
    parameters = {
        str(ArrayName(PARAMETER_GRADIENT, node, key)): array
        for node, gradients in recording.parameter_gradients.items()
        for key, array in gradients.items()
    }
    return values | parameters


def parameter_arrays(model: Model) -> dict[str, Array]:
    """`parameter/<node>.<key>`; running statistics too."""
    return {f"{PARAMETER}/{key}": array for key, array in model.state_dict().items()}


def save_npz(path: str | PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Writes a NumPy archive, whole or not at all. Raises OutputError; UsageError if it is not called .npz."""
    if Path(path).suffix != ".npz":
        raise UsageError(f"--save {path}: the file is a NumPy archive; call it {Path(path).with_suffix('.npz')}")
    write_atomic(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
