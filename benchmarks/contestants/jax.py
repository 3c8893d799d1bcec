"""JAX: one compiled function a step, with optax's Adam; images NHWC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.contestants.channels_last import check_flattens, conv_kernel, linear_kernel
from benchmarks.contestants.runner import Array, Mode, Runner
from benchmarks.job import BETAS, EPS, LEARNING_RATE, Job
from cnncli.graph import INPUT, Node

Tree = dict[str, dict[str, Any]]
STATISTICS = ("running_mean", "running_var")


def version() -> str:
    """Name and version."""
    return f"JAX {jax.__version__}"


def runners(job: Job, mode: Mode, threads: int) -> dict[str, Runner]:
    """There is nothing to choose; XLA takes as many threads as the process may use cores."""
    check_flattens(job)
    return {"jit, NHWC": Jax(job)}


class Jax(Runner):
    """Weights, statistics and moments live on the device and are written over (donated) by each step."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.parameters, self.statistics = _tensors(job)
        self.optimizer = optax.adam(LEARNING_RATE, *BETAS, EPS)
        self.state = self.optimizer.init(self.parameters)
        self.images = [jnp.asarray(np.ascontiguousarray(batch.transpose(0, 2, 3, 1))) for batch in job.images]
        self.labels = [jnp.asarray(batch, jnp.int32) for batch in job.labels]
        self.step = jax.jit(self._step, donate_argnums=(0, 1, 2))
        self.forward = jax.jit(self._forward)

    def _step(self, parameters: Tree, statistics: Tree, state: Any, x: Any, labels: Any) -> Any:
        def loss(parameters: Tree) -> tuple[Any, Tree]:
            logits, moved = evaluate(self.job, self.job.logits, parameters, statistics, x, training=True)
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), moved

        (value, moved), gradient = jax.value_and_grad(loss, has_aux=True)(parameters)
        updates, state = self.optimizer.update(gradient, state)
        return optax.apply_updates(parameters, updates), moved, state, value

    def _forward(self, parameters: Tree, statistics: Tree, x: Any) -> Any:
        return evaluate(self.job, self.job.graph.output.name, parameters, statistics, x, training=False)[0]

    def train(self, steps: Iterable[int]) -> list[float]:
        losses = []
        for step in steps:
            x, labels = self.images[step % len(self.images)], self.labels[step % len(self.labels)]
            self.parameters, self.statistics, self.state, loss = self.step(
                self.parameters, self.statistics, self.state, x, labels
            )
            losses.append(loss)
        jax.block_until_ready(self.parameters)
        return [float(loss) for loss in losses]

    def infer(self, step: int) -> Array:
        return np.asarray(self.forward(self.parameters, self.statistics, self.images[step % len(self.images)]))


def _tensors(job: Job) -> tuple[Tree, Tree]:
    """Parameters and running statistics, by node and key."""
    parameters: Tree = {}
    statistics: Tree = {}
    for node in job.graph.nodes:
        tensors = {key: array for key, array in job.of(node.name).items() if key != "num_batches_tracked"}
        if node.layer.type == "conv2d":
            tensors["weight"] = conv_kernel(tensors["weight"])
        elif node.layer.type == "linear":
            tensors["weight"] = linear_kernel(job, node)
        for key, array in tensors.items():
            tree = statistics if key in STATISTICS else parameters
            tree.setdefault(node.name, {})[key] = jnp.array(array)  # a copy, since steps write over it
    return parameters, statistics


def evaluate(job: Job, at: str, parameters: Tree, statistics: Tree, x: Any, *, training: bool) -> tuple[Any, Tree]:
    """The value `at` for images (batch, H, W, C), and the running statistics afterwards."""
    values, moved = {INPUT: x}, dict(statistics)
    for node in job.graph.nodes:
        tensors = {**parameters.get(node.name, {}), **statistics.get(node.name, {})}
        inputs = [values[name] for name in node.inputs]
        if node.layer.type == "batch_norm":
            values[node.name], moved[node.name] = _batch_norm(node, tensors, *inputs, training=training)
        else:
            values[node.name] = FUNCTIONS[node.layer.type](node, tensors, *inputs)
        if node.name == at:
            break
    return values[at], moved


def _batch_norm(node: Node, tensors: Mapping[str, Any], x: Any, *, training: bool) -> tuple[Any, dict[str, Any]]:
    layer: Any = node.layer
    mean, variance = (tensors[key] for key in STATISTICS)
    moved = {key: tensors[key] for key in STATISTICS}
    if training:
        axes = tuple(range(x.ndim - 1))
        count = x.size / x.shape[-1]
        mean = x.mean(axes)
        variance = jnp.maximum(jnp.square(x).mean(axes) - jnp.square(mean), 0)  # one pass over x, as in flax
        for key, new in zip(STATISTICS, (mean, variance * count / (count - 1)), strict=True):
            moved[key] = (1 - layer.momentum) * tensors[key] + layer.momentum * new
    y = (x - mean) * (lax.rsqrt(variance + layer.eps) * tensors["weight"]) + tensors["bias"]
    return y, moved


def _conv2d(node: Node, tensors: Mapping[str, Any], x: Any) -> Any:
    layer: Any = node.layer
    y = lax.conv_general_dilated(
        x,
        tensors["weight"],
        window_strides=layer.stride,
        padding=_padding(node),
        rhs_dilation=layer.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=layer.groups,
    )
    return y + tensors["bias"] if "bias" in tensors else y


def _max_pool2d(node: Node, tensors: Mapping[str, Any], x: Any) -> Any:
    layer: Any = node.layer
    padding = ((0, 0), *_padding(node), (0, 0))
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *layer.kernel_size, 1), (1, *layer.strides, 1), padding)


def _linear(node: Node, tensors: Mapping[str, Any], x: Any) -> Any:
    y = x @ tensors["weight"]
    return y + tensors["bias"] if "bias" in tensors else y


def _padding(node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """(before, after) for height and width."""
    layer: Any = node.layer
    geometry = layer.geometry(node.input_shapes[0])
    return (geometry.height.before, geometry.height.after), (geometry.width.before, geometry.width.after)


FUNCTIONS: dict[str, Any] = {
    "conv2d": _conv2d,
    "max_pool2d": _max_pool2d,
    "linear": _linear,
    "relu": lambda node, tensors, x: jnp.maximum(x, 0),
    "global_avg_pool2d": lambda node, tensors, x: x.mean((1, 2)),
    "flatten": lambda node, tensors, x: x.reshape(len(x), -1),
    "softmax": lambda node, tensors, x: jax.nn.softmax(x),
    "add": lambda node, tensors, x, y: x + y,
}
