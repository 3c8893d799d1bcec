"""Convolutional networks from YAML files, and every number that flows through them.

The functions here are the commands of `cnncli`: the same options as keyword arguments, the same results
as immutable data. Importing the package loads nothing else; the rest comes with the first use.

    import cnncli

    cnncli.train(config="lenet5.yaml", out="runs/first")
    session = cnncli.load(run="runs/first")
    cnncli.predict(session, input=["boot.png"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncli.api.backward import backward as backward
    from cnncli.api.bench import bench as bench
    from cnncli.api.curves import curves as curves
    from cnncli.api.evaluate import evaluate as evaluate
    from cnncli.api.forward import forward as forward
    from cnncli.api.gradcheck import gradcheck as gradcheck
    from cnncli.api.gradcheck import self_test as self_test
    from cnncli.api.predict import predict as predict
    from cnncli.api.session import Session as Session
    from cnncli.api.session import load as load
    from cnncli.api.summary import summary as summary
    from cnncli.api.train import train as train
    from cnncli.api.visualize import feature_maps as feature_maps
    from cnncli.api.visualize import filters as filters
    from cnncli.api.visualize import gradients as gradients
    from cnncli.errors import CnncliError as CnncliError

__version__ = "0.1.0"

_HOMES = {
    "CnncliError": "cnncli.errors",
    "Session": "cnncli.api.session",
    "backward": "cnncli.api.backward",
    "bench": "cnncli.api.bench",
    "curves": "cnncli.api.curves",
    "evaluate": "cnncli.api.evaluate",
    "feature_maps": "cnncli.api.visualize",
    "filters": "cnncli.api.visualize",
    "forward": "cnncli.api.forward",
    "gradcheck": "cnncli.api.gradcheck",
    "gradients": "cnncli.api.visualize",
    "load": "cnncli.api.session",
    "predict": "cnncli.api.predict",
    "self_test": "cnncli.api.gradcheck",
    "summary": "cnncli.api.summary",
    "train": "cnncli.api.train",
}
"""Where each public name lives."""

__all__ = [
    "CnncliError",
    "Session",
    "__version__",
    "backward",
    "bench",
    "curves",
    "evaluate",
    "feature_maps",
    "filters",
    "forward",
    "gradcheck",
    "gradients",
    "load",
    "predict",
    "self_test",
    "summary",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
