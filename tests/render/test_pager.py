from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from cnncli.render.terminal.pager import paged, pager_command

COPY = "import sys, os; open(sys.argv[1], 'w').write(os.environ['LESS'] + ':' + sys.stdin.read())"


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the pager writes what it is given to."""
    script = tmp_path / "copy.py"
    script.write_text(COPY)
    monkeypatch.setenv("PAGER", f"'{sys.executable}' '{script}' '{tmp_path / 'paged'}'")
    monkeypatch.delenv("LESS", raising=False)
    return tmp_path / "paged"


def printed(*, terminal: bool) -> str:
    """What is printed beside the pager."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, color_system="truecolor" if terminal else None, _environ={})
    with paged(console):
        console.print(Text("red", "rgb(255,0,0)"))
    return file.getvalue()


def test_a_terminal_is_paged_with_colours(pager: Path) -> None:
    assert printed(terminal=True) == ""
    assert pager.read_text() == "FRX:\x1b[38;2;255;0;0mred\x1b[0m\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_less_does_can_be_said(pager: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESS", "S")
    printed(terminal=True)
    assert pager.read_text().startswith("S:")


def test_a_pipe_is_not(pager: Path) -> None:
    assert printed(terminal=False) == "red\n"
    assert not pager.exists()


def test_a_pager_that_is_left_early_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", f"'{sys.executable}' -c ''")
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, _environ={})
    with paged(console):
        console.out("line\n" * 50_000, highlight=False)
    assert file.getvalue() == ""


@pytest.mark.parametrize("command", ["", "cat", "cat -n", "no-such-program", "less '-R", "less \\"])
def test_no_pager(command: str) -> None:
    assert pager_command({"PAGER": command, "PATH": os.environ["PATH"]}) is None


def test_less_is_the_pager_where_it_is(tmp_path: Path) -> None:
    assert pager_command({"PATH": str(tmp_path)}) is None
    (tmp_path / "less").write_text("")
    (tmp_path / "less").chmod(0o755)
    assert pager_command({"PATH": str(tmp_path)}) == ["less"]
