"""YAML text to a tree: scalars of YAML 1.2, places, merge keys, and the limits."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cnncli.config import load
from cnncli.config.document import MAX_ALIASED, MAX_BYTES, MAX_DEPTH, MAX_VALUES, compose, place_in
from cnncli.config.place import Problems
from cnncli.config.tree import MapNode, plain
from cnncli.errors import ConfigError, Problem

NETWORK = "model: {input: [4], layers: [relu]}\nloss: mse\n"


def parse(text: str) -> tuple[Any, list[str]]:
    problems = Problems()
    tree = compose(text, place_in("f"), problems)
    return None if tree is None else plain(tree), [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.5e+3", 1500.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("+12", 12),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found, problems = parse(f"a: {text}\n")
    assert problems == []
    assert found["a"] == value
    assert type(found["a"]) is type(value)


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert parse("on: 1\n1: 2\nnull: 3\n1e999: 4\n") == ({"on": 1, "1": 2, "null": 3, "1e999": 4}, [])


def test_places_count_lines_and_columns_from_1() -> None:
    tree = compose("a:\n  b: [1, {c: 2}]\n", place_in("f"), Problems())
    assert isinstance(tree, MapNode)
    inner = tree.entries["a"].value
    assert isinstance(inner, MapNode)
    assert str(inner.entries["b"].place.problem("!")) == "f:2:3: !"
    assert str(inner.entries["b"].value.place.problem("!")) == "f:2:6: !"


def test_merge_keys_bring_in_what_is_not_set() -> None:
    found, problems = parse("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 0}\nw: {<<: *x}\n")
    assert problems == []
    assert found["z"] == {"a": 0, "b": 2, "c": 4}
    assert found["w"] == {"a": 1, "b": 2}


def test_an_anchored_layer_can_be_used_twice() -> None:
    text = """\
model:
  input: [2, 8, 8]
  layers:
    - &conv {type: conv2d, out_channels: 2, kernel_size: 3}
    - *conv
    - {<<: *conv, out_channels: 5}
loss: mse
"""
    assert [node.shape for node in load(text).graph.nodes] == [(2, 6, 6), (2, 4, 4), (5, 2, 2)]


# files


def message(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "no.yaml"
    assert message(path) == f"{path}: cannot read the configuration: No such file or directory"


def test_directory(tmp_path: Path) -> None:
    assert message(tmp_path) == f"{tmp_path}: this is a directory; give the YAML file in it"


def test_nul_in_the_path() -> None:
    assert message(Path("a\0b")) == r"a\x00b: cannot read the configuration: embedded null byte"


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_bytes(b"")
    assert message(path) == f"{path}:1:1: the configuration is empty; it needs at least 'model' with input and layers"


def test_not_utf8_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "latin1.yaml"
    path.write_bytes("a: 1\nb: \u00e9t\u00e9\n".encode("latin-1"))
    assert message(path) == f"{path}:2:4: not UTF-8: byte 0xe9; save the file in the UTF-8 encoding"


def test_utf16_is_refused_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "utf16.yaml"
    path.write_bytes(NETWORK.encode("utf-16"))
    assert message(path) == f"{path}:1:1: not UTF-8: byte 0xff; save the file in the UTF-8 encoding"


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + NETWORK.replace("\n", "\r\n").encode())
    assert load(path).name == "windows"
    path.write_bytes(b"\xef\xbb\xbfseeed: 1\r\nseed: x\r\n" + NETWORK.encode())
    assert [(problem.line, problem.column) for problem in problems_of(path)] == [(1, 1), (2, 7)]


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: \x07\n", "f:1:4: the character U+0007 is not allowed in YAML; remove it"),
        ("a: 1\nb: \x00\n", "f:2:4: the character U+0000 is not allowed in YAML; remove it"),
        ("a: \ufeff1\n", "f:1:4: the character U+FEFF is not allowed in YAML; remove it"),
        ("a: \udc80\n", "f:1:4: the character U+DC80 is not allowed in YAML; remove it"),
        ('a: "\\0"\n', r"f:1:4: the text '\x00' holds a character that is not allowed"),
    ],
)
def test_characters_that_yaml_does_not_allow(text: str, problem: str) -> None:
    assert parse(text)[1] == [problem]


# limits: each answers at once and within little memory

SECONDS = 5.0
BYTES = 64 * 2**20


def quick(text: str | Path) -> str:
    start = time.thread_time()
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert time.thread_time() - start < SECONDS
    return str(caught.value)


def bounded(text: str | Path) -> str:
    tracemalloc.start()
    try:
        quick(text)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    return quick(text)


def test_alias_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    assert bounded("\n".join(lines)) == f"<text>:6:10: aliases (*a4) expand to more than {MAX_ALIASED} values"


def test_aliases_that_nest_deeper_and_deeper() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 1000))]
    assert f"nested more than {MAX_DEPTH} deep by aliases" in bounded("\n".join(lines))


def test_alias_bomb_by_merge_keys() -> None:
    lines = ["a0: &a0 {k: 1}", *(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}" for i in range(1, 400))]
    assert "aliases" in bounded("\n".join(lines))


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? "])
def test_depth(piece: str) -> None:
    assert f"nested more than {MAX_DEPTH} deep" in bounded(piece * 100_000 + "\n")


def test_number_of_values() -> None:
    assert f"more than {MAX_VALUES} values; keep large weights in a checkpoint" in quick(f"a: [{'1,' * 400_000}]\n")


def test_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert bounded(path) == f"{path}: larger than {MAX_BYTES // 2**20} MiB; keep large weights in a checkpoint"


def test_a_long_integer() -> None:
    assert "is too large for a 64-bit number" in bounded(f"seed: {'9' * 1_000_000}\n{NETWORK}")


def test_absurd_sizes_allocate_nothing() -> None:
    layers = "[{type: conv2d, out_channels: 1000000, kernel_size: 1000, padding: 1000000}]"
    text = bounded(f"model:\n  input: [1, 1000000, 1000000]\n  layers: {layers}\n")
    assert "the output of 'conv2d1', 1000000 x 2999001 x 2999001" in text


def test_a_few_megabytes_of_weights_are_read(tmp_path: Path) -> None:
    row = "[" + ", ".join(["0.123456789"] * 300) + "]"
    weight = ",\n  ".join([row] * 200)
    path = tmp_path / "weights.yaml"
    layer = f"{{type: linear, out_features: 200, weight: [{weight}]}}"
    path.write_text(f"model:\n  input: [300]\n  layers:\n  - {layer}\nloss: mse\n", encoding="utf-8")
    assert load(path).graph.output.shape == (200,)
