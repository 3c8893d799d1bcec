"""Errors planted on purpose: each is found, named and explained, in every network that has a place for it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnncli.graph import Model
from cnncli.inspection.gradcheck import Verdict, self_test
from cnncli.inspection.gradcheck.faults import FAULTS, Fault, FaultyLayer
from cnncli.inspection.gradcheck.planted import MISSING_MEAN
from cnncli.inspection.proxies import with_layers
from tests.inspection.gradcheck.networks import CROSS_ENTROPY, chain, check, model_of, numbers, small_net, spoil

HINTS = {
    "weight gradient x 1.001": "1.001 times the true gradient",
    "weight gradient x 2": "twice the true gradient",
    "wrong sign of the weight gradient": "its sign is wrong",
    "one entry of the weight gradient": "only filter 1, input channel 1, the tap [0, 0]",
    "bias gradient dropped": "always 0, as if it were never computed",
    "bias gradient of one position": "only the first position counts: the positions are not summed",
    "kernel flipped": "the kernel is flipped, top to bottom and left to right",
    "kernel transposed": "the kernel is transposed: height and width are exchanged",
    "kernel flipped on the way back": "the kernel is flipped, top to bottom and left to right",
    "wrong stride": "as if the stride were 1 and not 2",
    "leaky ReLU": "as if the slope for x <= 0 were 0.01",
    "wrong winner in max pooling": "the gradient goes to the neighbour of the winner: one pixel too far to the right",
    MISSING_MEAN: "3 times the true gradient: the mean over the 3 samples is missing",
}
"""What is said of each planted error, where there is no batch norm."""


def test_self_test_finds_names_and_explains_every_planted_error() -> None:
    told: list[tuple[str, int, int]] = []
    model, x = Model.create(small_net(), 1), numbers(3, 2, 9, 9)
    report = self_test(model, x, np.arange(3), CROSS_ENTROPY, progress=lambda *args: told.append(args))
    assert {attempt.error: attempt.hint for attempt in report.attempts} == HINTS
    assert {attempt.verdict for attempt in report.attempts} == {Verdict.FAIL}
    assert (report.verdict, report.sound) == (Verdict.PASS, Verdict.PASS)
    assert report.absent == ("batch statistics as constants",)
    names = [fault.name for fault in FAULTS]
    assert [name for name, _, _ in told] == ["no error", *names, MISSING_MEAN]
    assert [done for _, done, _ in told] == list(range(len(names) + 2))
    assert {total for _, _, total in told} == {len(names) + 2}


def test_self_test_plants_only_what_makes_a_difference() -> None:
    layers = [("sigmoid", {}), ("relu", {}), ("linear", {"out_features": 3})]
    model, x = Model.create(chain((4,), *layers), 1), numbers(1, 4)
    report = self_test(model, x, np.arange(1), CROSS_ENTROPY)
    assert report.verdict is Verdict.PASS
    assert {"leaky ReLU", MISSING_MEAN, "kernel flipped"} <= set(report.absent)  # nothing is negative, one sample
    assert {attempt.error for attempt in report.attempts} == {
        fault.name for fault in FAULTS if fault.name not in report.absent
    }
    deeper = chain((4,), *layers[:2], ("linear", {"out_features": 5}), ("relu", {}), layers[2])
    report = self_test(Model.create(deeper, 1), numbers(2, 4), np.arange(2), CROSS_ENTROPY)
    assert [attempt.node for attempt in report.attempts if attempt.error == "leaky ReLU"] == ["relu3"]


def test_self_test_fails_on_a_network_that_is_wrong_itself() -> None:
    for node in ("linear4", "conv2d0"):
        faulty = spoil(small_net(), node, "weight", lambda gradient: gradient * 1.001)
        report = self_test(faulty, numbers(2, 2, 9, 9), np.arange(2), CROSS_ENTROPY)
        assert (report.verdict, report.sound) == (Verdict.FAIL, Verdict.FAIL)


FLAT = [("flatten", {}), ("linear", {"out_features": 3})]
NETWORKS = {
    "grouped, strided, batch norm": chain(
        (4, 9, 9),
        ("conv2d", {"out_channels": 6, "kernel_size": 3, "groups": 2, "stride": 2, "padding": 1}),
        ("batch_norm", {}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        *FLAT,
    ),
    "depthwise and 1x1": chain(
        (4, 8, 8),
        ("conv2d", {"out_channels": 4, "kernel_size": 3, "groups": 4, "padding": "same"}),
        ("relu", {}),
        ("conv2d", {"out_channels": 3, "kernel_size": 1, "stride": 2}),
        ("batch_norm", {}),
        ("relu", {}),
        *FLAT,
    ),
    "not square": chain(
        (2, 10, 7),
        ("conv2d", {"out_channels": 3, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}),
        *FLAT,
    ),
    "large kernel, overlapping means": chain(
        (3, 11, 11),
        ("conv2d", {"out_channels": 4, "kernel_size": 5, "stride": 2, "padding": "same"}),
        ("relu", {}),
        ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
        *FLAT,
    ),
    "dilated": chain(
        (2, 12, 12), ("conv2d", {"out_channels": 3, "kernel_size": 3, "dilation": 2, "stride": 3}), ("relu", {}), *FLAT
    ),
    "one row high": chain(
        (2, 4, 12),
        ("conv2d", {"out_channels": 3, "kernel_size": [1, 5], "stride": [1, 2]}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": [1, 2]}),
        *FLAT,
    ),
}
CAUSES = {
    "weight gradient x 1.001": r"^1\.001 times the true gradient$",
    "weight gradient x 2": r"^twice the true gradient",
    "wrong sign of the weight gradient": r"^its sign is wrong$",
    "one entry of the weight gradient": r"^only .*\d",
    "bias gradient dropped": r"^always 0, as if it were never computed$",
    "bias gradient of one position": r"^only the first position counts: the positions are not summed$",
    "kernel flipped": r"^the kernel is flipped",
    "kernel transposed": r"^the kernel is transposed: height and width are exchanged$",
    "kernel flipped on the way back": r"^the kernel is flipped",
    "wrong stride": r"^as if the stride were 1 and not (2|3|1x2|2x1)$",
    "leaky ReLU": r"^as if the slope for x <= 0 were 0\.01$",
    "wrong winner in max pooling": r"^the gradient goes to the neighbour of the winner: one pixel too far to the right",
    "batch statistics as constants": r"^the mean and the variance are taken for constants",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_planted_errors_are_located_and_named_wherever_they_are(network: str, fault: Fault) -> None:
    graph = NETWORKS[network]
    places = [node for node in graph.nodes if fault.fits(node, model_of(graph).parameters.get(node.name, {}))]
    for samples, node in enumerate(places, start=2):
        faulty = FaultyLayer(node.layer, fault)
        report = check(
            with_layers(model_of(graph), {node.name: faulty}),
            numbers(samples, *graph.input_shape, seed=samples),
            layers=[node.name],
        )
        assert faulty.differs
        alone = {found.tensor: found for found in report.tensors if found.level == "layer"}
        wrong = alone.pop(fault.tensor)
        assert wrong.verdict is Verdict.FAIL
        assert re.search(CAUSES[fault.name], str(wrong.hint)), (node.name, wrong.hint)
        assert {found.verdict for found in alone.values()} <= {Verdict.PASS}
