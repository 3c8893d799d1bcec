from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from cnncli.errors import OutputError
from cnncli.files import write_atomic


@pytest.mark.parametrize("content", [b"caf\xc3\xa9", "café", lambda file: file.write(b"caf\xc3\xa9")])
def test_writes_bytes_text_and_what_a_function_writes(tmp_path: Path, content: object) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_atomic(path, content)  # type: ignore[arg-type]
    assert path.read_bytes() == b"caf\xc3\xa9"
    assert os.listdir(path.parent) == ["file"]


def test_replaces_and_keeps_ordinary_permissions(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(str(path), "old")
    write_atomic(str(path), "new")
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.read_text() == "new"
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.EIO, "I/O error"), OutputError),
        (ValueError("bad"), ValueError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException, raised: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(raised):
        write_atomic(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "choose a folder that you may write to"),
        (errno.EIO, "choose another place"),
    ],
)
def test_the_message_has_path_reason_and_fix(tmp_path: Path, number: int, fix: str) -> None:
    def fail(file: BinaryIO) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError) as caught:
        write_atomic(tmp_path / "a.png", fail)
    assert str(caught.value) == f"{tmp_path}/a.png: cannot be written: {os.strerror(number)}; {fix}"


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match=r"taken/a: cannot be written: (Not a directory|File exists)"):
        write_atomic(tmp_path / "taken" / "a", b"")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken: cannot be written: Is a directory"):
        write_atomic(tmp_path / "taken", b"")
    assert os.listdir(tmp_path) == ["taken"]
