"""`to_yaml` and back: random experiments, and texts that look like something else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.config import load
from cnncli.config.document import compose, place_in
from cnncli.config.dump import to_text
from cnncli.config.place import Problems
from cnncli.config.tree import plain
from cnncli.data.augmentation import AUGMENTATIONS
from cnncli.errors import ConfigError

NUMBERS = st.floats(0, 1, exclude_max=True, allow_subnormal=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)

LOOK_LIKE = [
    "1e-3",
    "0o17",
    "0x1F",
    "012",
    "1_000",
    "1:30",
    "yes",
    "on",
    "null",
    "~",
    "",
    ".nan",
    "=",
    "<<",
    "- a",
    "a: b",
    "#",
]


def read(text: str) -> Any:
    problems = Problems()
    tree = compose(text, place_in("f"), problems)
    assert problems == []
    assert tree is not None
    return plain(tree)


def with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: with_tuples(item) for key, item in value.items()}
    return tuple(with_tuples(item) for item in value) if isinstance(value, list) else value


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(WORDS.filter(lambda word: word != "<<"), VALUES, max_size=4))
def test_what_is_written_reads_the_same(value: dict[str, Any]) -> None:
    found = read(to_text(value))
    assert found == with_tuples(value)
    assert repr(found) == repr(with_tuples(value))  # 1, 1.0 and true are different values


@pytest.mark.parametrize("word", LOOK_LIKE)
def test_texts_that_look_like_something_else(word: str) -> None:
    assert read(to_text({"a": word})) == {"a": word}


@st.composite
def images(draw: st.DrawFn) -> list[dict[str, Any] | str]:
    """Layers that keep (2, 8, 8), so that any of them may be read by any later one, and then a classifier."""
    layers: list[dict[str, Any] | str] = []
    names = ["input"]
    for index in range(draw(st.integers(1, 6))):
        layer = draw(
            st.sampled_from(
                [
                    {"type": "relu"},
                    {"type": "leaky_relu", "negative_slope": draw(NUMBERS)},
                    {"type": "dropout", "p": draw(NUMBERS)},
                    {"type": "batch_norm", "momentum": draw(NUMBERS)},
                    {
                        "type": "conv2d",
                        "out_channels": 2,
                        "kernel_size": [3, 1],
                        "padding": [1, 0],
                        "bias": draw(st.booleans()),
                    },
                    {
                        "type": "conv2d",
                        "out_channels": 2,
                        "kernel_size": 1,
                        "bias": draw(st.lists(NUMBERS, min_size=2, max_size=2)),
                    },
                    {
                        "type": "conv2d",
                        "out_channels": 2,
                        "kernel_size": 3,
                        "padding": "same",
                        "init": {"weight": "he_normal"},
                    },
                    {"type": "avg_pool2d", "kernel_size": 3, "stride": 1, "padding": 1},
                    {"type": "add", "inputs": [draw(st.sampled_from(names)), draw(st.sampled_from(names))]},
                ]
            )
        )
        name = draw(st.sampled_from([None, f"n{index}", f"relu{index + 1}"]))
        layers.append({**layer, "name": name} if name else layer)
        names += [name] if name else []
    return [*layers, "flatten", {"type": "linear", "out_features": 3}]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    layers = draw(images())
    # Whatever nobody reads would be an error: the sum of all reads it, before the classifier.
    named = [layer["name"] for layer in layers if isinstance(layer, dict) and "name" in layer]
    if named:
        layers.insert(-2, {"type": "add", "name": "total", "inputs": ["input", *named]})
    return {
        "seed": draw(st.integers(0, 2**63 - 1)),
        "data": draw(st.sampled_from([None, "fashion-mini", {"source": "npz", "path": "x.npz", "limit": 5}])),
        "model": {"input": [2, 8, 8], "layers": layers},
        "loss": draw(st.sampled_from(["cross_entropy", "mse", {"type": "cross_entropy", "label_smoothing": 0.1}])),
        "optimizer": draw(
            st.sampled_from(["sgd", {"type": "adam", "lr": draw(NUMBERS), "betas": [draw(NUMBERS), 0.5]}])
        ),
        "train": {"epochs": draw(st.integers(1, 99))},
    }


@settings(deadline=None, max_examples=60)
@given(documents())
def test_resolved_is_equal(document: dict[str, Any]) -> None:
    try:
        experiment = load(to_text(document))
    except ConfigError as error:
        assert all("nothing reads" in line for line in str(error).splitlines())  # noqa: PT017 - a dead end by chance
        return
    text = experiment.to_yaml()
    assert load(text) == experiment
    assert load(text).to_yaml() == text


def test_augmentations_are_written_with_all_their_options() -> None:
    every = [name for name in AUGMENTATIONS if name != "crop"]
    data = f"{{source: fashion-mini, sampling: balanced, augment: [{{type: crop, padding: 3}}, {', '.join(every)}]}}"
    experiment = load(
        f"data: {data}\nmodel: {{input: [1, 28, 28], layers: [flatten, {{type: linear, out_features: 3}}]}}\n"
    )
    assert experiment.data is not None
    assert [kind.type for kind in experiment.data.augment] == ["crop", *every]
    text = experiment.to_yaml()
    assert re.search(r"type: crop\s+padding: 3\s+padding_mode: zeros\n", text)
    assert load(text) == experiment
