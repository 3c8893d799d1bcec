"""Writes reference.npz: what Captum (https://captum.ai) makes of the same networks, weights, inputs and targets.

python -m tests.inspection.attribution.make_reference      (needs torch and captum; made with captum 0.9)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum import attr
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import Tensor, nn

from cnncli.graph import INPUT, Graph, Node
from tests.inspection.attribution.networks import NETWORKS, inputs, model_of, target_of
from tests.parity.twin import FUNCTIONS, Twin

REFERENCE = Path(__file__).with_name("reference.npz")
CAM_LAYERS = {"lenet": "conv2", "resnet": "conv3", "batch-norm": "norm1"}
WINDOW, STRIDE = 4, 2

AS_MODULES: dict[str, Callable[[Any], nn.Module]] = {
    "relu": lambda layer: nn.ReLU(),
    "max_pool2d": lambda layer: nn.MaxPool2d(layer.kernel_size, layer.strides, layer.padding),
    "avg_pool2d": lambda layer: nn.AvgPool2d(layer.kernel_size, layer.strides, layer.padding),
}
"""Captum hooks modules, not functions."""


class Explained(Twin):
    """The twin whose `forward` gives the logits, with modules wherever Captum wants them."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph, record=False)
        for node in graph.nodes:
            if node.layer.type in AS_MODULES:
                self.add_module(node.name, AS_MODULES[node.layer.type](node.layer))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        values = {INPUT: x}
        for node in self.graph.nodes:
            values[node.name] = self._one(node, [values[name] for name in node.inputs])
        return values[self.graph.output.name]

    def _one(self, node: Node, xs: list[Tensor]) -> Tensor:
        module = getattr(self, node.name, None)
        return FUNCTIONS[node.layer.type](node, *xs) if module is None else module(*xs)


def theirs(name: str) -> dict[str, Tensor]:
    """Every method's attribution of one network."""
    graph = NETWORKS[name]
    model = model_of(graph)
    twin = Explained(graph).double().eval()
    twin.load_state_dict({key: torch.tensor(array) for key, array in model.state_dict().items()}, strict=True)
    x = torch.tensor(inputs(graph), requires_grad=True)
    target = torch.tensor(target_of(graph).index[:, 0])
    layer = getattr(twin, CAM_LAYERS[name])
    channels = graph.input_shape[0]
    cam = attr.LayerGradCam(twin, layer)
    found = {
        "gradient": attr.Saliency(twin).attribute(x, target=target, abs=False),
        "input-x-gradient": attr.InputXGradient(twin).attribute(x, target=target),
        "integrated-gradients": attr.IntegratedGradients(twin).attribute(
            x, target=target, n_steps=50, method="gausslegendre"
        ),
        "occlusion": attr.Occlusion(twin).attribute(
            x, (channels, WINDOW, WINDOW), strides=(channels, STRIDE, STRIDE), target=target
        )[:, 0],
        "grad-cam": cam.attribute(x, target=target, relu_attributions=True)[:, 0],
        "grad-cam-signed": cam.attribute(x, target=target, relu_attributions=False)[:, 0],
        "guided": attr.GuidedBackprop(twin).attribute(x, target=target),
        "deconvnet": attr.Deconvolution(twin).attribute(x, target=target),
    }
    if name != "resnet":  # Captum's LRP knows no additions
        for module in twin.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.rule = EpsilonRule()  # type: ignore[assignment]
        found["lrp-epsilon"] = attr.LRP(twin).attribute(x, target=target)
    return found


def main() -> None:
    """Makes the file anew."""
    warnings.simplefilter("ignore")  # Captum tells that it sets hooks and needs gradients
    arrays = {f"{name}/{method}": value.detach().numpy() for name in NETWORKS for method, value in theirs(name).items()}
    np.savez_compressed(REFERENCE, **arrays)


if __name__ == "__main__":
    main()
