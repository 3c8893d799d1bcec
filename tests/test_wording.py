"""The words that all messages share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncli.wording import channel_name, did_you_mean, nearest, no_such_layer, one_of, plural, printable, shape_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 [bold]", "caf\u00e9 [bold]"),
        ("\x1b[2J\r\n", r"\x1b[2J\r\n"),
        ("\udc80", r"\udc80"),
        (Path("a\tb"), r"a\tb"),
        (OSError("x\0"), r"x\x00"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_shapes_and_channels() -> None:
    assert shape_text((6, 28, 28)) == "6x28x28"
    assert shape_text(()) == "1"
    assert [channel_name(7, total) for total in (1, 100, 101)] == ["c07", "c07", "c007"]


def test_the_nearest_name() -> None:
    assert nearest("trian", ["test", "train"]) == "train"
    assert nearest("ANKLE BOT", ["Bag", "Ankle boot"]) == "Ankle boot"
    assert nearest("x", ["test", "train"]) is None
    assert nearest("x" * 10**6, ["x" * 60]) == "x" * 60
    assert did_you_mean("trian", ["test", "train"]) == "; did you mean 'train'?"
    assert did_you_mean("a\x1bc", ["a\x1bb"]) == r"; did you mean 'a\x1bb'?"
    assert did_you_mean("x", []) == ""


def test_a_layer_that_there_is_not() -> None:
    assert no_such_layer("conv", iter(["input", "conv1"])) == "the network has no such layer; did you mean 'conv1'?"
    assert no_such_layer("x", ["input", "conv1"]) == "the network has no such layer; there are input, conv1"


def test_alternatives() -> None:
    assert [one_of(["a", "b", "c"][:count]) for count in (1, 2, 3)] == ["a", "a or b", "a, b or c"]


def test_one_and_several() -> None:
    assert [plural(n, "map") for n in (0, 1, 2, 1234)] == ["0 maps", "1 map", "2 maps", "1,234 maps"]
