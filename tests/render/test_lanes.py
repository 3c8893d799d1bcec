"""The lanes: every connection is there, and none runs through a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.render.lanes import Layout, by_depth, lay_out, one_by_one

Inputs = Mapping[str, Sequence[str]]


@st.composite
def networks(draw: st.DrawFn) -> Inputs:
    """Layers that read one, two or three of those before them, perhaps one of them twice."""
    inputs: dict[str, tuple[str, ...]] = {"input": ()}
    for index in range(draw(st.integers(1, 25))):
        names = list(inputs)
        near = st.sampled_from(names[-4:]) | st.sampled_from(names)
        inputs[f"n{index}"] = tuple(draw(st.lists(near, min_size=1, max_size=3)))
    return inputs


def check(inputs: Inputs, layout: Layout) -> None:
    assert sorted(name for row in layout.rows for name in row) == sorted(inputs)
    assert set(layout.lane) == set(inputs)
    places = [(layout.row[name], lane) for name, lane in layout.lane.items()]
    assert len(set(places)) == len(places)  # no two layers in one place
    edges = {(source, name) for name, sources in inputs.items() for source in sources}
    assert {(run.source, reader) for run in layout.runs for reader in run.readers} == edges
    taken: dict[tuple[int, int], str] = {}
    for run in layout.runs:
        rows = [layout.row[reader] for reader in run.readers]
        assert rows == sorted(rows)
        assert rows[0] > layout.row[run.source]
        for row in range(layout.row[run.source], rows[-1]):
            assert taken.setdefault((row, run.lane), run.source) == run.source  # the gap below this row
        for row in range(layout.row[run.source] + 1, rows[-1]):
            assert (row, run.lane) not in places  # it crosses no layer
    assert layout.lanes == 1 + max(*layout.lane.values(), *(run.lane for run in layout.runs), 0)


@settings(deadline=None, max_examples=200)
@given(networks())
def test_no_line_crosses_a_layer(inputs: Inputs) -> None:
    for rows in (one_by_one, by_depth):
        check(inputs, lay_out(inputs, rows(inputs)))


def test_a_chain_has_one_lane() -> None:
    inputs = {"input": (), "a": ("input",), "b": ("a",)}
    layout = lay_out(inputs, one_by_one(inputs))
    assert (layout.lanes, set(layout.lane.values())) == (1, {0})


def test_a_shortcut_runs_beside_its_block() -> None:
    inputs = {"input": (), "a": ("input",), "b": ("a",), "sum": ("b", "input")}
    layout = lay_out(inputs, one_by_one(inputs))
    assert [layout.lane[name] for name in inputs] == [0, 0, 0, 0]
    assert [(run.source, run.readers, run.lane) for run in layout.runs] == [
        ("input", ("a",), 0),
        ("input", ("sum",), 1),
        ("a", ("b",), 0),
        ("b", ("sum",), 0),
    ]


@pytest.mark.parametrize("branches", [2, 3, 5])
def test_branches_run_side_by_side(branches: int) -> None:
    names = [f"b{index}" for index in range(branches)]
    inputs = {"input": (), **dict.fromkeys(names, ("input",)), "all": tuple(names)}
    layout = lay_out(inputs, by_depth(inputs))
    assert layout.rows == [("input",), tuple(names), ("all",)]
    assert [layout.lane[name] for name in names] == list(range(branches))
    assert layout.lane["all"] == 0


def test_what_many_joins_read_has_one_lane_for_all_of_them() -> None:
    inputs = {"x": (), "a": ("x",), "ab": ("a", "x"), "b": ("ab",), "all": ("b", "a", "x")}
    layout = lay_out(inputs, one_by_one(inputs))
    assert [run.readers for run in layout.runs if run.source == "x"] == [("a",), ("ab", "all")]
