"""Weights for networks whose images are (batch, height, width, channel), from PyTorch's layouts."""

from __future__ import annotations

from benchmarks.contestants.runner import Array
from benchmarks.job import Job
from cnncli.graph import INPUT, Node


def conv_kernel(weight: Array) -> Array:
    """(out, in, height, width) to (height, width, in, out)."""
    return weight.transpose(2, 3, 1, 0)


def linear_kernel(job: Job, node: Node) -> Array:
    """(in, out), from (out, in). After a flatten the inputs are in the order (height, width, channel), where PyTorch
    has (channel, height, width): turning the weights once is cheaper than turning the images in every step."""
    weight = job.of(node.name)["weight"]
    (source,) = node.inputs
    if source != INPUT and job.graph.by_name[source].layer.type == "flatten":
        ((channels, height, width),) = job.graph.by_name[source].input_shapes
        weight = weight.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(weight.shape)
    return weight.T


def check_flattens(job: Job) -> None:
    """Only linear layers read what was flattened: then `linear_kernel` keeps the numbers the same."""
    for node in job.graph.nodes:
        readers = job.graph.consumers[node.name]
        if node.layer.type == "flatten" and any(job.graph.by_name[name].layer.type != "linear" for name in readers):
            raise SystemExit(f"{node.name}: the channels-last contestants take only linear layers after a flatten")
