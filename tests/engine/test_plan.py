"""What may be overwritten, what is dropped, what is computed, and how a batch is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.engine.plan import LARGEST, SMALLEST, UNIT, Step, cut, even_slices, make_plan, micro_batch, pool_first
from cnncli.graph import INPUT, Graph, build
from cnncli.layers import LAYERS


def chain(*kinds: str, inputs: dict[str, tuple[str, ...]] | None = None) -> Graph:
    """Nodes named a, b, c, ...; each reads the one before unless `inputs` says otherwise."""
    layers = []
    previous = INPUT
    for name, kind in zip("abcdefgh", kinds, strict=False):
        options = {"conv2d": {"out_channels": 2, "kernel_size": 3, "padding": 1}, "linear": {"out_features": 2}}
        layers.append((name, LAYERS[kind](**options.get(kind, {})), (inputs or {}).get(name, (previous,))))
        previous = name
    return build((2, 6, 6), layers)


def steps(graph: Graph, **options: bool) -> dict[str, Step]:
    asked = {"training": True, "gradient": True, "everything": False, **options}
    plan = make_plan(graph, graph.output.name, {"a"}, **asked)
    return {step.node.name: step for step in plan.forward}


def test_the_input_is_nobodys_to_overwrite() -> None:
    assert steps(chain("relu", "conv2d"))["a"].owned == (False,)


def test_an_output_with_one_reader_may_be_overwritten() -> None:
    assert steps(chain("conv2d", "relu"))["b"].owned == (True,)


def test_an_output_with_two_readers_may_not() -> None:
    found = steps(chain("conv2d", "relu", "add", inputs={"c": ("a", "b")}))
    assert found["b"].owned == (False,)
    assert found["c"].owned == (False, True)


@pytest.mark.parametrize(("gradient", "owned"), [(True, False), (False, True)])
def test_an_output_that_backward_reads_may_only_be_overwritten_at_inference(gradient: bool, owned: bool) -> None:
    keeping = [kind for kind, layer in LAYERS.items() if layer.keeps_output]
    assert keeping, "no layer keeps its output: drop the rule"
    for kind in keeping:
        assert steps(chain("conv2d", kind, "relu"), gradient=gradient)["c"].owned == (owned,)


def test_through_a_view_the_rule_is_that_of_what_it_shows() -> None:
    assert steps(chain("conv2d", "flatten", "relu"))["c"].owned == (True,)
    assert steps(chain("flatten", "relu"))["b"].owned == (False,)


def test_a_sum_may_be_overwritten_whoever_reads_what_was_added() -> None:
    found = steps(chain("conv2d", "relu", "add", "relu", inputs={"c": ("a", "b")}))
    assert found["d"].owned == (True,)


def test_what_was_asked_for_is_not_overwritten() -> None:
    graph = chain("conv2d", "relu")
    plan = make_plan(graph, "a", (), training=False, gradient=False, everything=True)
    assert plan.forward[1].owned == (False,)
    assert all("a" not in step.drop for step in plan.forward)


def test_only_what_is_needed_runs() -> None:
    graph = chain("conv2d", "relu", "flatten")
    assert [
        step.node.name for step in make_plan(graph, "b", (), training=False, gradient=False, everything=False).forward
    ] == ["a", "b"]


def test_the_pass_back_ends_where_nothing_is_trained() -> None:
    graph = chain("relu", "conv2d", "relu", "flatten")
    plan = make_plan(graph, "d", {"b"}, training=True, gradient=True, everything=False)
    assert [step.node.name for step in plan.backward] == ["d", "c", "b"]
    assert plan.backward[-1].needs == (False,)
    plan = make_plan(graph, "d", {"b"}, training=True, gradient=True, everything=True)
    assert [step.node.name for step in plan.backward] == ["d", "c", "b", "a"]
    assert plan.backward[-1].needs == (True,)


@given(st.integers(0, 3000), st.integers(1, 7) | st.integers(1, 8).map(lambda units: units * UNIT))
def test_slices_cover_the_batch_evenly(batch: int, largest: int) -> None:
    slices = even_slices(batch, largest)
    assert [i for part in slices for i in range(part.start, part.stop)] == list(range(batch))
    sizes = [part.stop - part.start for part in slices]
    unit = min(UNIT, largest)
    assert all(0 < size <= largest for size in sizes)
    assert all(size % unit == 0 for size in sizes[:-1])
    assert len(sizes) < 2 or max(sizes) - min(sizes[:-1]) <= unit


def images(channels: int, size: int) -> Graph:
    return build((channels, size, size), [("a", LAYERS["conv2d"](out_channels=channels, kernel_size=3), (INPUT,))])


def test_little_work_makes_large_micro_batches_and_large_images_small_ones() -> None:
    assert micro_batch(images(1, 8)) == LARGEST
    assert micro_batch(images(32, 32)) == SMALLEST
    assert micro_batch(images(64, 224)) == 2
    assert micro_batch(images(64, 600)) == 1


def test_a_batch_is_cut_by_units() -> None:
    assert [part.stop for part in cut(images(1, 8), 100)] == [48, 100]


def test_max_pooling_goes_before_a_relu_that_only_it_reads() -> None:
    graph = build(
        (2, 6, 6),
        [
            ("a", LAYERS["relu"](), (INPUT,)),
            ("b", LAYERS["max_pool2d"](kernel_size=2), ("a",)),
            ("c", LAYERS["relu"](), ("b",)),
            ("d", LAYERS["max_pool2d"](kernel_size=3), ("c",)),
            ("e", LAYERS["tanh"](), ("d",)),
        ],
    )
    assert [node.layer.type for node in pool_first(graph.nodes, "e")] == [
        *("max_pool2d", "relu", "max_pool2d", "relu", "tanh")
    ]
    assert [node.shape for node in pool_first(graph.nodes, "e")] == [
        (2, 3, 3),
        (2, 3, 3),
        (2, 1, 1),
        (2, 1, 1),
        (2, 1, 1),
    ]
    assert pool_first(graph.nodes, "c")[2].layer.type == "relu"
    twice = build(
        (2, 6, 6),
        [*((node.name, node.layer, node.inputs) for node in graph.nodes[:2]), ("c", LAYERS["add"](), ("b", "b"))],
    )
    assert pool_first(twice.nodes, "c")[0].layer.type == "max_pool2d"
    shared = build(
        (2, 6, 6),
        [
            ("a", LAYERS["relu"](), (INPUT,)),
            ("b", LAYERS["max_pool2d"](kernel_size=1), ("a",)),
            ("c", LAYERS["add"](), ("a", "b")),
        ],
    )
    assert pool_first(shared.nodes, "c")[0].layer.type == "relu"
