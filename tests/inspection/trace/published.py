"""Networks whose receptive fields are published, as TensorFlow's slim library lays them out, for images of 224x224.

Source: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks", Distill 2019. What works on
single pixels (activations, batch norm) is left out, since it changes no receptive field.
"""

from __future__ import annotations

from typing import Any

from cnncli.graph import INPUT, Graph, build
from cnncli.layers import LAYERS, Layer


class Stack:
    """Layers one after the other, with ways around them."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, Layer, tuple[str, ...]]] = []
        self.last = INPUT

    def add(self, kind: str, *inputs: str, **options: Any) -> str:
        self.last, before = f"n{len(self.layers)}", self.last
        self.layers.append((self.last, LAYERS[kind](**options), inputs or (before,)))
        return self.last

    def conv(self, channels: int, kernel: int, stride: int = 1, padding: Any = "same", **options: Any) -> str:
        return self.add("conv2d", out_channels=channels, kernel_size=kernel, stride=stride, padding=padding, **options)

    def pool(self, kernel: int, stride: int, padding: Any = "valid") -> str:
        return self.add("max_pool2d", kernel_size=kernel, stride=stride, padding=padding)

    @property
    def graph(self) -> Graph:
        return build((1, 224, 224), self.layers)


def vgg16() -> Graph:
    stack = Stack()
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            stack.conv(1, 3)
        stack.pool(2, 2)
    return stack.graph


def alexnet_v2() -> Graph:
    stack = Stack()
    stack.conv(1, 11, 4, "valid")
    stack.pool(3, 2)
    stack.conv(1, 5)
    stack.pool(3, 2)
    for _ in range(3):
        stack.conv(1, 3)
    stack.pool(3, 2)
    return stack.graph


def mobilenet_v1() -> Graph:
    stack = Stack()
    stack.conv(2, 3, 2)
    for stride in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1):
        stack.conv(2, 3, stride, groups=2)
        stack.conv(2, 1)
    return stack.graph


def resnet50_v1() -> Graph:
    """The last unit of each of the first three blocks has the stride; with one, 3x3 pads by 1 on every side."""
    stack = Stack()
    stack.conv(1, 7, 2, 3)
    stack.pool(3, 2, "same")
    for units, block_stride in ((3, 2), (4, 2), (6, 2), (3, 1)):
        for unit in range(units):
            stride = block_stride if unit == units - 1 else 1
            start = stack.last
            shortcut = start if stride == 1 else stack.pool(1, stride)
            stack.add("conv2d", start, out_channels=1, kernel_size=1)
            stack.conv(1, 3, stride, "same" if stride == 1 else 1)
            residual = stack.conv(1, 1)
            stack.add("add", shortcut, residual)
    return stack.graph
