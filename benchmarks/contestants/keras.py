"""Keras on TensorFlow: a compiled function a step or `train_on_batch`, each with and without XLA; images NHWC."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from benchmarks.contestants.channels_last import check_flattens, conv_kernel, linear_kernel
from benchmarks.contestants.runner import Array, Mode, Runner
from benchmarks.job import BETAS, EPS, LEARNING_RATE, Job
from cnncli.graph import INPUT, Node
from cnncli.kernels.geometry import Axis


def version() -> str:
    """Name and version."""
    return f"Keras {keras.__version__} on TensorFlow {tf.__version__}"


def runners(job: Job, mode: Mode, threads: int) -> dict[str, Runner]:
    """With and without XLA; in training each way of making a step."""
    if keras.backend.backend() != "tensorflow":
        raise SystemExit(f"Keras runs on {keras.backend.backend()}; set KERAS_BACKEND=tensorflow")
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:  # can be set only once
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    check_flattens(job)
    xla = {"": False, ", XLA": True}
    if mode == "inference":
        return {f"tf.function{suffix}": FunctionKeras(job, jit) for suffix, jit in xla.items()}
    kinds: dict[str, type[Keras]] = {"tf.function": FunctionKeras, "train_on_batch": FitKeras}
    return {f"{name}{suffix}": kind(job, jit) for name, kind in kinds.items() for suffix, jit in xla.items()}


class Keras(Runner):
    """A functional model; inference is one compiled call of it, without the bookkeeping of `predict`."""

    def __init__(self, job: Job, jit: bool) -> None:
        self.jit = jit
        values, made = _values(job)
        self.model = keras.Model(values[INPUT], values[job.logits])
        _load(job, made)
        whole = keras.Model(values[INPUT], values[job.graph.output.name])  # the same layers
        self.forward = tf.function(lambda x: whole(x, training=False), jit_compile=jit)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # Keras adds its epsilon before the correction of the bias: this one does what EPS does in the first steps.
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE, *BETAS, EPS * math.sqrt(1 - BETAS[1]))
        self.images = [tf.constant(batch.transpose(0, 2, 3, 1)) for batch in job.images]
        self.labels = [tf.constant(batch) for batch in job.labels]

    def infer(self, step: int) -> Array:
        output: Array = self.forward(self.images[step % len(self.images)]).numpy()
        return output

    def batch(self, step: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and labels."""
        return self.images[step % len(self.images)], self.labels[step % len(self.labels)]


class FunctionKeras(Keras):
    """The step is a function of one's own, as in Keras's guide to custom training loops."""

    def __init__(self, job: Job, jit: bool) -> None:
        super().__init__(job, jit)
        self.optimizer.build(self.model.trainable_variables)
        self.step = tf.function(self._step, jit_compile=jit)

    def _step(self, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(x, training=True))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss

    def train(self, steps: Iterable[int]) -> list[float]:
        return [float(loss) for loss in [self.step(*self.batch(step)) for step in steps]]


class FitKeras(Keras):
    """The step is Keras's own."""

    def __init__(self, job: Job, jit: bool) -> None:
        super().__init__(job, jit)
        self.model.compile(self.optimizer, self.loss, jit_compile=jit)

    def train(self, steps: Iterable[int]) -> list[float]:
        return [float(self.model.train_on_batch(*self.batch(step))) for step in steps]


def _values(job: Job) -> tuple[dict[str, Any], dict[str, keras.Layer]]:
    """Keras's tensors for the input and every node, and the layers that have weights."""
    channels, height, width = job.graph.input_shape
    values: dict[str, Any] = {INPUT: keras.Input((height, width, channels))}
    made = {}
    for node in job.graph.nodes:
        inputs = [values[name] for name in node.inputs]
        if node.layer.type == "add":
            values[node.name] = layers.Add()(inputs)
            continue
        (x,) = inputs
        if node.layer.type == "conv2d" and _padding(node) == "explicit":
            x = layers.ZeroPadding2D(_pads(node))(x)
        made[node.name] = MAKERS[node.layer.type](node)
        values[node.name] = made[node.name](x)
    return values, made


def _load(job: Job, made: dict[str, keras.Layer]) -> None:
    for node in job.graph.nodes:
        tensors = job.of(node.name)
        if not tensors:
            continue
        if node.layer.type == "conv2d":
            kernel = conv_kernel(tensors.pop("weight"))
            depthwise = isinstance(made[node.name], layers.DepthwiseConv2D)
            weights = [kernel.swapaxes(2, 3) if depthwise else kernel, *tensors.values()]
        elif node.layer.type == "linear":
            weights = [linear_kernel(job, node), *[tensors["bias"]] * ("bias" in tensors)]
        else:
            keys = ("weight", "bias", "running_mean", "running_var")
            weights = [tensors[key] for key in keys if key in tensors]
        made[node.name].set_weights(weights)


def _conv2d(node: Node) -> keras.Layer:
    layer: Any = node.layer
    options = {
        "strides": layer.stride,
        "padding": "same" if _padding(node) == "same" else "valid",  # after what is padded explicitly
        "dilation_rate": layer.dilation,
        "use_bias": layer.bias is not False,
    }
    if layer.groups == 1:
        return layers.Conv2D(layer.out_channels, layer.kernel_size, **options)
    if layer.groups == layer.out_channels == node.input_shapes[0][0]:
        return layers.DepthwiseConv2D(layer.kernel_size, **options)
    raise SystemExit(f"{node.name}: TensorFlow has no convolution of {layer.groups} groups on a CPU")


def _batch_norm(node: Node) -> keras.Layer:
    layer: Any = node.layer
    momentum = 1 - layer.momentum  # Keras names the share of the old statistics
    return layers.BatchNormalization(momentum=momentum, epsilon=layer.eps, center=layer.affine, scale=layer.affine)


def _max_pool2d(node: Node) -> keras.Layer:
    layer: Any = node.layer
    padding = _padding(node)
    if padding == "explicit":
        raise SystemExit(f"{node.name}: Keras has no max pooling with a padding of {layer.padding}")
    return layers.MaxPooling2D(layer.kernel_size, layer.strides, padding)


def _linear(node: Node) -> keras.Layer:
    layer: Any = node.layer
    return layers.Dense(layer.out_features, use_bias=layer.bias is not False)


def _axes(node: Node) -> tuple[Axis, Axis]:
    layer: Any = node.layer
    geometry = layer.geometry(node.input_shapes[0])
    return geometry.height, geometry.width


def _pads(node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """(before, after) for height and width."""
    height, width = _axes(node)
    return (height.before, height.after), (width.before, width.after)


def _same(axis: Axis) -> tuple[int, int]:
    """What TensorFlow pads for 'same', before and after."""
    total = max((math.ceil(axis.size / axis.stride) - 1) * axis.stride + axis.extent - axis.size, 0)
    return total // 2, total - total // 2


def _padding(node: Node) -> str:
    """TensorFlow's name for a window's padding, "explicit" where it has none."""
    pads = _pads(node)
    if pads == ((0, 0), (0, 0)):
        return "valid"
    height, width = _axes(node)
    return "same" if pads == (_same(height), _same(width)) else "explicit"


MAKERS: dict[str, Callable[[Node], keras.Layer]] = {
    "conv2d": _conv2d,
    "batch_norm": _batch_norm,
    "max_pool2d": _max_pool2d,
    "linear": _linear,
    "relu": lambda node: layers.ReLU(),
    "global_avg_pool2d": lambda node: layers.GlobalAveragePooling2D(),
    "flatten": lambda node: layers.Flatten(),
    "softmax": lambda node: layers.Softmax(),
}
