"""PyTorch, eager: layouts NCHW and channels_last, Adam fused and foreach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.contestants.runner import Array, Mode, Runner
from benchmarks.job import BETAS, EPS, LEARNING_RATE, Job
from cnncli.graph import INPUT, Graph, Node

LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
ADAMS: dict[str, dict[str, bool]] = {"fused Adam": {"fused": True}, "foreach Adam": {"foreach": True}}


def version() -> str:
    """Name and version."""
    return f"PyTorch {torch.__version__}"


def runners(job: Job, mode: Mode, threads: int) -> dict[str, Runner]:
    """Every layout; in training with every Adam."""
    torch.set_num_threads(threads)
    if mode == "inference":
        return {layout: PyTorch(job, layout, "fused Adam") for layout in LAYOUTS}
    return {f"{layout}, {adam}": PyTorch(job, layout, adam) for layout, adam in product(LAYOUTS, ADAMS)}


class PyTorch(Runner):
    """Training in train mode, inference in eval mode under inference_mode."""

    def __init__(self, job: Job, layout: str, adam: str) -> None:
        memory: Any = {"memory_format": LAYOUTS[layout]}
        self.network = Network(job.graph, job.logits)
        self.network.load_state_dict({key: torch.tensor(array) for key, array in job.weights.items()})
        self.network.to(**memory)
        self.images = [torch.tensor(batch).contiguous(**memory) for batch in job.images]
        self.labels = list(torch.tensor(job.labels))
        options: Any = ADAMS[adam]
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE, BETAS, EPS, **options)

    def train(self, steps: Iterable[int]) -> list[float]:
        self.network.train()
        images, labels = self.images, self.labels
        losses = [self._step(images[step % len(images)], labels[step % len(labels)]) for step in steps]
        return [float(loss) for loss in losses]

    def _step(self, x: Tensor, labels: Tensor) -> Tensor:
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(x), labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def infer(self, step: int) -> Array:
        self.network.eval()
        with torch.inference_mode():
            output: Array = self.network(self.images[step % len(self.images)]).numpy()
        return output


class Network(nn.Module):
    """A graph node by node. In training it returns the logits, in inference the output."""

    def __init__(self, graph: Graph, logits: str) -> None:
        super().__init__()
        self.calls: list[tuple[str, Callable[..., Tensor], tuple[str, ...]]] = []
        for node in graph.nodes:
            made = MAKERS[node.layer.type](node)
            if isinstance(made, nn.Module):
                self.add_module(node.name, made)
            self.calls.append((node.name, made, node.inputs))
        self.output, self.logits = graph.output.name, logits

    def forward(self, x: Tensor) -> Tensor:
        """(batch, C, H, W) to (batch, classes)."""
        wanted = self.logits if self.training else self.output
        values = {INPUT: x}
        for name, call, inputs in self.calls:
            values[name] = call(*[values[source] for source in inputs])
            if name == wanted:
                break
        return values[wanted]


def _conv2d(node: Node) -> nn.Module:
    layer: Any = node.layer
    return nn.Conv2d(
        node.input_shapes[0][0],
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        _padding(node),
        layer.dilation,
        layer.groups,
        bias=layer.bias is not False,
    )


def _batch_norm(node: Node) -> nn.Module:
    layer: Any = node.layer
    return nn.BatchNorm2d(node.shape[0], layer.eps, layer.momentum, layer.affine)


def _max_pool2d(node: Node) -> nn.Module:
    layer: Any = node.layer
    return nn.MaxPool2d(layer.kernel_size, layer.strides, _padding(node))


def _linear(node: Node) -> nn.Module:
    layer: Any = node.layer
    return nn.Linear(node.input_shapes[0][0], layer.out_features, bias=layer.bias is not False)


def _padding(node: Node) -> tuple[int, int]:
    layer: Any = node.layer
    geometry = layer.geometry(node.input_shapes[0])
    for axis in (geometry.height, geometry.width):
        if axis.before != axis.after:
            raise SystemExit(f"{node.name}: PyTorch has no padding of {axis.before} before and {axis.after} after")
    return geometry.height.before, geometry.width.before


MAKERS: dict[str, Callable[[Node], Callable[..., Tensor]]] = {
    "conv2d": _conv2d,
    "batch_norm": _batch_norm,
    "max_pool2d": _max_pool2d,
    "linear": _linear,
    "relu": lambda node: F.relu,
    "global_avg_pool2d": lambda node: lambda x: x.mean(dim=(2, 3)),
    "flatten": lambda node: lambda x: x.flatten(1),
    "softmax": lambda node: lambda x: torch.softmax(x, dim=1),
    "add": lambda node: torch.add,
}
