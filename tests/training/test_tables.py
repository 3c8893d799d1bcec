"""What can be wrong with a table, and that it is said."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cnncli.errors import CheckpointError
from cnncli.training.tables import read_table, write_table

ROWS = [
    {"epoch": 1, "step": 10, "node": "a,b", "dead": None},
    {"epoch": 1, "step": 10, "node": "größe", "dead": 0.25},
    {"epoch": 2, "step": 20, "node": "a,b", "dead": 0.125},
]
KEY = ("epoch", "node")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "health.csv"
    write_table(path, ROWS)
    return path


def test_whole_rows_come_back(table: Path) -> None:
    first, *others = read_table(table, KEY)
    assert math.isnan(first.pop("dead"))
    assert first == {"epoch": 1, "step": 10, "node": "a,b"}
    assert others == ROWS[1:]


def test_rows_of_one_epoch_are_told_apart_by_their_steps(tmp_path: Path) -> None:
    rows = [
        {"epoch": 1, "step": 5, "val_loss": 0.5},
        {"epoch": 1, "step": 8, "val_loss": None},
        {"epoch": 2, "step": 10, "val_loss": 0.25},
    ]
    path = tmp_path / "metrics.csv"
    write_table(path, rows)
    found = read_table(path, ["epoch", "step"])
    assert [(row["epoch"], row["step"]) for row in found] == [(1, 5), (1, 8), (2, 10)]
    assert [row["val_loss"] for row in found] == [0.5, pytest.approx(math.nan, nan_ok=True), 0.25]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("1,5\n1,5\n", "3: epoch 1, step 5 is there twice; expected it once"),
        ("1,5\n1,4\n", "3: epoch 1, step 4 comes after step 5; expected them in order"),
        ("1,5\n2,4\n", "3: epoch 2, step 4 comes after step 5; expected them in order"),
        ("2,5\n1,9\n", "3: epoch 1, step 9 comes after epoch 2; expected them in order"),
        ("1,\n", "2: step is ''; expected a whole number from 1 on"),
    ],
)
def test_steps_are_in_order(tmp_path: Path, lines: str, message: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"epoch,step\n{lines}")
    with pytest.raises(CheckpointError) as caught:
        read_table(path, ["epoch", "step"])
    assert str(caught.value).startswith(f"{path}:{message}; mend or delete the line, or train again")


def test_a_row_of_a_layer_names_it(tmp_path: Path) -> None:
    path = tmp_path / "health.csv"
    path.write_text("epoch,step,node\n1,5,conv1\n1,5,relu1\n1,5,conv1\n")
    with pytest.raises(CheckpointError, match="4: epoch 1, step 5 of conv1 is there twice"):
        read_table(path, ["epoch", "step", "node"])


def test_a_table_that_was_edited_elsewhere(table: Path) -> None:
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert [row["epoch"] for row in read_table(table, KEY)] == [1, 1, 2]


def test_wherever_the_file_is_cut_the_whole_lines_are_read_and_the_cut_is_told(table: Path) -> None:
    """At every byte: in a number, in a name, in a letter of two bytes, right before the end of a line."""
    content = table.read_bytes()
    header, first = (len(b"".join(content.splitlines(keepends=True)[:lines])) for lines in (1, 2))
    for size in range(header + 1, len(content)):
        table.write_bytes(content[:size])
        lines, said = content[:size].count(b"\n"), []
        if header < size < first:
            with pytest.raises(
                CheckpointError, match=r"health\.csv:2: the line is cut, and there is no other; restore"
            ):
                read_table(table, KEY, said.append)
        elif content[:size].endswith(b"\n"):
            assert len(read_table(table, KEY, said.append)) == lines - 1
            assert said == []
        else:
            assert len(read_table(table, KEY, said.append)) == lines - 1
            assert said == [f"health.csv: the last line, {lines + 1}, is cut and left out"]
            with pytest.raises(CheckpointError, match=rf"health\.csv:{lines + 1}: the line is cut; restore the file"):
                read_table(table, KEY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1: is empty; expected a line of column names; restore the file, or train again"),
        (b"\n\n", "1: is empty; expected a line of column names; restore the file, or train again"),
        (b"epoch,st", "1: the line of column names is cut; restore the file, or train again"),
        (
            b"hello\nworld\n",
            "1: expected the names of columns, 'epoch' among them, but found 'hello'; restore the file, or train again",
        ),
        (b"epoch,loss\n1\n", "2: has 1 values; expected 2, one a column; mend or delete the line, or train again"),
        (b"epoch,loss\n1,2\n\n2,3,4\n", "4: has 3 values; expected 2, one a column; mend or delete the line"),
        (b"epoch,loss\n1,2\n2,\x1bx\n", r"3: loss is '\x1bx'; expected a number; mend or delete the line"),
        (b"epoch,loss\n1.5,2\n", "2: epoch is '1.5'; expected a whole number from 1 on; mend or delete the line"),
        (b"epoch,loss\n-1,2\n", "2: epoch is '-1'; expected a whole number from 1 on; mend or delete the line"),
        (b"epoch,loss\n,2\n", "2: epoch is ''; expected a whole number from 1 on; mend or delete the line"),
        (b"epoch,loss\n1,2\n1,3\n", "3: epoch 1 is there twice; expected it once; mend or delete the line"),
        (b"epoch,loss\n2,2\n1,3\n", "3: epoch 1 comes after epoch 2; expected them in order; mend or delete the line"),
        (b"epoch,loss\n1,2\n\xff\xfe\0\n", "3: is no text in UTF-8; expected numbers; mend or delete the line"),
        (b'epoch,loss\n1,"2"x\n', "2: is no line of a table ("),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_table(path, ["epoch"], print)
    assert str(caught.value).startswith(f"{path}:{message}")


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        read_table(tmp_path, ["epoch"])
