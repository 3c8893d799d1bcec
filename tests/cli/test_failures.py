"""What went wrong, in one line, with its exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnncli
from cnncli.cli.failures import report
from cnncli.errors import ConfigError, DataError, DivergedError, OutputError, Problem
from tests.cli.conftest import Cli

ROOT = Path(cnncli.__file__).parent.parent


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (DataError("x.png: is no picture"), 2, ["error: x.png: is no picture"]),
        (DivergedError("in step 3"), 1, ["error: in step 3"]),
        (OutputError("x: cannot write"), 1, ["error: x: cannot write"]),
        (DataError("two\nlines"), 2, ["error: two", "  lines"]),
        (
            ConfigError([Problem("a.yaml", 3, 5, "one"), Problem("--set b=c", None, None, "two")]),
            2,
            ["error: a.yaml:3:5: one", "error: --set b=c: two"],
        ),
        (DataError("[bold]\x1b[31mred"), 2, ["error: [bold]\\x1b[31mred"]),
        (OSError(errno.ENOSPC, "No space left on device"), 1, ["error: No space left on device"]),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 1, ["error: x: Permission denied"]),
        (MemoryError(), 1, ["error: not enough memory; use a smaller train.batch_size, or fewer inputs"]),
        (KeyboardInterrupt(), 130, []),
    ],
)
def test_every_failure_has_its_line_and_its_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, lines: list[str]
) -> None:
    assert report(error) == code
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", lines)


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        report(ZeroDivisionError())


def test_a_name_that_looks_like_markup_stays_what_it_is(cli: Cli, folder: Path) -> None:
    outcome = cli("summary", "--config", "[red]missing[/red].yaml")
    assert outcome.err.startswith("error: [red]missing[/red].yaml: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_stdout() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cnncli", "config", "schema"],
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_encoding_of_the_terminal_will_do(folder: Path, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnncli", "forward", "--config", "stripes.yaml"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert b"conv2d 3x6x6" in done.stdout
    assert done.stdout.decode(encoding)


def test_shell_completion(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnncli"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_CNNCLI_COMPLETE": "complete_bash",
            "COMP_WORDS": "cnncli vis",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["visualize"]
