"""The same layers in PyTorch, from its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import pad

from cnncli.layers.base import Layer, Shape
from tests.layers.cases import Case

Array = NDArray[Any]


def module_of(layer: Any, shapes: tuple[Shape, ...]) -> nn.Module:
    """Takes tensors of these shapes, batch first."""
    return MODULES[layer.type](layer, shapes)


class _Function(nn.Module):
    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        return self.function(*xs)


class _Padded(nn.Module):
    """`same` of any stride, which PyTorch's own modules do not have."""

    def __init__(self, module: nn.Module, layer: Any, shape: Shape, value: float = 0) -> None:
        super().__init__()
        geometry = layer.geometry(shape)
        height, width = geometry.height, geometry.width
        self.pads = (width.before, width.after, height.before, height.after)
        self.value = value
        self._module = [module]  # not registered: the parameters keep their names
        for name, parameter in module.named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._module[0](pad(x, self.pads, value=self.value))


def _windowed(make: Callable[[Any], nn.Module], value: float = 0) -> Callable[[Any, tuple[Shape, ...]], nn.Module]:
    def build(layer: Any, shapes: tuple[Shape, ...]) -> nn.Module:
        if layer.padding == "same":
            return _Padded(make(layer.model_copy(update={"padding": (0, 0)})), layer, shapes[0], value)
        return make(layer.model_copy(update={"padding": (0, 0)}) if layer.padding == "valid" else layer)

    return build


def _conv2d(layer: Any, shapes: tuple[Shape, ...]) -> nn.Module:
    def make(plain: Any) -> nn.Module:
        return nn.Conv2d(
            shapes[0][0],
            plain.out_channels,
            plain.kernel_size,
            plain.stride,
            plain.padding,
            plain.dilation,
            plain.groups,
            bias=plain.bias is not False,
        )

    return _windowed(make)(layer, shapes)


def _batch_norm(layer: Any, shapes: tuple[Shape, ...]) -> nn.Module:
    kind = nn.BatchNorm2d if len(shapes[0]) == 3 else nn.BatchNorm1d
    return kind(shapes[0][0], eps=layer.eps, momentum=layer.momentum, affine=layer.affine)


def _plain(make: Callable[[Any], nn.Module]) -> Callable[[Any, tuple[Shape, ...]], nn.Module]:
    return lambda layer, shapes: make(layer)


MODULES: dict[str, Callable[[Any, tuple[Shape, ...]], nn.Module]] = {
    "conv2d": _conv2d,
    "max_pool2d": _windowed(lambda layer: nn.MaxPool2d(layer.kernel_size, layer.strides, layer.padding), -np.inf),
    "avg_pool2d": _windowed(
        lambda layer: nn.AvgPool2d(
            layer.kernel_size, layer.strides, layer.padding, count_include_pad=layer.count_include_pad
        )
    ),
    "global_avg_pool2d": _plain(lambda layer: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    "linear": lambda layer, shapes: nn.Linear(shapes[0][0], layer.out_features, bias=layer.bias is not False),
    "flatten": _plain(lambda layer: nn.Flatten()),
    "batch_norm": _batch_norm,
    "dropout": _plain(lambda layer: nn.Dropout(layer.p)),
    "relu": _plain(lambda layer: nn.ReLU()),
    "leaky_relu": _plain(lambda layer: nn.LeakyReLU(layer.negative_slope)),
    "elu": _plain(lambda layer: nn.ELU(layer.alpha)),
    "gelu": _plain(lambda layer: nn.GELU(layer.approximate)),
    "silu": _plain(lambda layer: nn.SiLU()),
    "sigmoid": _plain(lambda layer: nn.Sigmoid()),
    "tanh": _plain(lambda layer: nn.Tanh()),
    "softmax": _plain(lambda layer: nn.Softmax(dim=1)),
    "softplus": _plain(lambda layer: nn.Softplus(layer.beta, layer.threshold)),
    "identity": _plain(lambda layer: nn.Identity()),
    "add": _plain(lambda layer: _Function(lambda *xs: torch.stack(xs).sum(dim=0))),
    "concat": _plain(lambda layer: _Function(lambda *xs: torch.cat(xs, dim=1))),
}


def torch_values(case: Case, dtype: torch.dtype = torch.float64) -> dict[str, Array]:
    """y, dx0, dx1, ..., gradient.<key>, and in training buffer.<key>."""
    return torch_pass(case.layer, case.shapes, case.tensors(), case.inputs(), case.upstream(), case.training, dtype)


def torch_pass(
    layer: Layer,
    shapes: tuple[Shape, ...],
    tensors: dict[str, Array],
    inputs: tuple[Array, ...],
    upstream: Array,
    training: bool = False,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Array]:
    module = module_of(layer, shapes).to(dtype).train(training)
    module.load_state_dict({key: torch.tensor(array) for key, array in tensors.items()})
    xs = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
    y = module(*xs)
    y.backward(torch.tensor(upstream, dtype=dtype))
    values = {"y": y.detach().numpy()}
    for index, x in enumerate(xs):
        assert x.grad is not None
        values[f"dx{index}"] = x.grad.numpy()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None
        values[f"gradient.{key}"] = parameter.grad.numpy()
    if training:
        values |= {f"buffer.{key}": buffer.numpy() for key, buffer in module.named_buffers()}
    return values
