"""Whatever the text is, the answer is an experiment or a ConfigError."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.config import load
from cnncli.errors import ConfigError
from tests.config.test_bad_configs import table
from tests.config.test_shipped_configs import CONFIGS

TEXTS = [path.read_text(encoding="utf-8") for path in CONFIGS] + [bad.text for bad in table()]
KEYS = ("model", "layers", "input", "inputs", "name", "type", "init", "weight", "bias", "stride", "optimizer", "data")
VALUES = (
    "0",
    "-1",
    "1e-3",
    "1e999",
    ".nan",
    "0x1F",
    "1_0",
    "9" * 20,
    "null",
    "true",
    "yes",
    "conv2d",
    "relu",
    "constant",
)
MARKS = ("&a ", "*a", "<<: ", "!!int ", "---\n", "...\n", "[1,2]", "{a: b}", ": ", "- ", ", ", "\n", "  ", "\t")
PIECES = (*KEYS, *VALUES, *MARKS, *"[]{}:-,|>?%@!&*'\"#~\\", "\u00e9", "\u2028", "\ud800", "\x00")
STEPS = (
    "model",
    "layers",
    "0",
    "conv1",
    "type",
    "init",
    "weight",
    "optimizer",
    "lr",
    "data",
    "loss",
    "train",
    "",
    "x\n",
)


def answers(text: str, overrides: tuple[str, ...] = ()) -> None:
    try:
        experiment = load(text + "\n", overrides)
    except ConfigError as error:
        lines = str(error).splitlines()
    else:
        lines = ["equal"] if load(experiment.to_yaml()) == experiment else []
    assert lines
    assert all(line.isprintable() for line in lines)


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), max_size=60) | st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text(text: str) -> None:
    answers(text)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 20)))
        middle = draw(st.sampled_from([*PIECES, "", text[start:stop] * 2]))
        text = text[:start] + middle + text[stop:]
    return text


@settings(deadline=None, max_examples=300)
@given(damaged())
def test_a_damaged_config(text: str) -> None:
    answers(text)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=4).map(".".join),
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
)
def test_any_override(text: str, path: str, value: str) -> None:
    answers(text, (f"{path}={value}",))
