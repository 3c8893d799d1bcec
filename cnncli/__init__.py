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
    from cnncli.api.activation_max import activation_max as activation_max
    from cnncli.api.architecture import architecture as architecture
    from cnncli.api.attribution import grad_cam as grad_cam
    from cnncli.api.attribution import guided as guided
    from cnncli.api.attribution import integrated_gradients as integrated_gradients
    from cnncli.api.attribution import lrp as lrp
    from cnncli.api.attribution import occlusion as occlusion
    from cnncli.api.attribution import saliency as saliency
    from cnncli.api.backward import backward as backward
    from cnncli.api.bench import bench as bench
    from cnncli.api.check_data import check_data as check_data
    from cnncli.api.compare import compare as compare
    from cnncli.api.confusion import confusion as confusion
    from cnncli.api.contact_sheet import contact_sheet as contact_sheet
    from cnncli.api.curves import curves as curves
    from cnncli.api.dry_run import dry_run as dry_run
    from cnncli.api.embedding import embedding as embedding
    from cnncli.api.evaluate import evaluate as evaluate
    from cnncli.api.evolution import evolution as evolution
    from cnncli.api.fetch import fetch as fetch
    from cnncli.api.find_lr import find_lr as find_lr
    from cnncli.api.forward import forward as forward
    from cnncli.api.gradcheck import gradcheck as gradcheck
    from cnncli.api.gradcheck import self_test as self_test
    from cnncli.api.histograms import histograms as histograms
    from cnncli.api.mistakes import mistakes as mistakes
    from cnncli.api.patches import patches as patches
    from cnncli.api.predict import predict as predict
    from cnncli.api.runs import runs as runs
    from cnncli.api.sanity import sanity as sanity
    from cnncli.api.session import Session as Session
    from cnncli.api.session import load as load
    from cnncli.api.step import step as step
    from cnncli.api.summary import summary as summary
    from cnncli.api.trace import trace as trace
    from cnncli.api.train import train as train
    from cnncli.api.visualize import feature_maps as feature_maps
    from cnncli.api.visualize import filters as filters
    from cnncli.api.visualize import gradients as gradients
    from cnncli.errors import CnncliError as CnncliError

__version__ = "0.1.0"

_HOMES = {
    "CnncliError": "cnncli.errors",
    "Session": "cnncli.api.session",
    "activation_max": "cnncli.api.activation_max",
    "architecture": "cnncli.api.architecture",
    "backward": "cnncli.api.backward",
    "bench": "cnncli.api.bench",
    "check_data": "cnncli.api.check_data",
    "compare": "cnncli.api.compare",
    "confusion": "cnncli.api.confusion",
    "contact_sheet": "cnncli.api.contact_sheet",
    "curves": "cnncli.api.curves",
    "dry_run": "cnncli.api.dry_run",
    "embedding": "cnncli.api.embedding",
    "evaluate": "cnncli.api.evaluate",
    "evolution": "cnncli.api.evolution",
    "feature_maps": "cnncli.api.visualize",
    "fetch": "cnncli.api.fetch",
    "filters": "cnncli.api.visualize",
    "find_lr": "cnncli.api.find_lr",
    "forward": "cnncli.api.forward",
    "grad_cam": "cnncli.api.attribution",
    "gradcheck": "cnncli.api.gradcheck",
    "gradients": "cnncli.api.visualize",
    "guided": "cnncli.api.attribution",
    "histograms": "cnncli.api.histograms",
    "integrated_gradients": "cnncli.api.attribution",
    "load": "cnncli.api.session",
    "lrp": "cnncli.api.attribution",
    "mistakes": "cnncli.api.mistakes",
    "occlusion": "cnncli.api.attribution",
    "patches": "cnncli.api.patches",
    "predict": "cnncli.api.predict",
    "runs": "cnncli.api.runs",
    "saliency": "cnncli.api.attribution",
    "sanity": "cnncli.api.sanity",
    "self_test": "cnncli.api.gradcheck",
    "step": "cnncli.api.step",
    "summary": "cnncli.api.summary",
    "trace": "cnncli.api.trace",
    "train": "cnncli.api.train",
}
"""Where each public name lives."""

__all__ = [
    "CnncliError",
    "Session",
    "__version__",
    "activation_max",
    "architecture",
    "backward",
    "bench",
    "check_data",
    "compare",
    "confusion",
    "contact_sheet",
    "curves",
    "dry_run",
    "embedding",
    "evaluate",
    "evolution",
    "feature_maps",
    "fetch",
    "filters",
    "find_lr",
    "forward",
    "grad_cam",
    "gradcheck",
    "gradients",
    "guided",
    "histograms",
    "integrated_gradients",
    "load",
    "lrp",
    "mistakes",
    "occlusion",
    "patches",
    "predict",
    "runs",
    "saliency",
    "sanity",
    "self_test",
    "step",
    "summary",
    "trace",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
