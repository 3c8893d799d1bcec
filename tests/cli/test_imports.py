"""What a command loads: itself and what it works with, not the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cnncli
from cnncli.cli.app import command_tree
from cnncli.cli.commands import Command, Group

LIBRARIES = ("numpy", "PIL", "yaml", "safetensors", "threadpoolctl")
OTHER_VIEWS = ("cnncli.inspection.views.flow", "cnncli.inspection.views.panels", "cnncli.inspection.views.curves")
TRAINING = ("cnncli.training.loop", "cnncli.training.evaluation")

NEEDLESS = {
    "--help": (
        *LIBRARIES,
        "pydantic",
        "cnncli.cli.train",
        "cnncli.cli.options",
        "rich.markdown",
        "rich.traceback",
        "markdown_it",
    ),
    "visualize --help": (*LIBRARIES, "cnncli.cli.visualize"),
    "train --help": (*LIBRARIES, "cnncli.training", "cnncli.cli.predict", "rich.markdown"),
    "init": ("numpy", "PIL", "yaml", "rich", "cnncli.config"),
    "config show -c net.yaml": ("PIL", "rich", "safetensors", "threadpoolctl", "cnncli.engine", "cnncli.inspection"),
    "config schema": ("PIL", "rich", "safetensors", "threadpoolctl", "cnncli.engine", "cnncli.inspection"),
    "summary -c net.yaml": ("PIL", "cnncli.inspection.gradcheck", *OTHER_VIEWS, *TRAINING),
    "predict -c net.yaml input.txt": ("PIL", "cnncli.inspection.gradcheck", *OTHER_VIEWS, *TRAINING, "rich.progress"),
    "forward -c net.yaml": ("PIL", "cnncli.inspection.gradcheck", "cnncli.inspection.views.summary", *TRAINING),
    "trace -c net.yaml --layer conv2d1 --json": ("PIL", "rich", "cnncli.inspection.gradcheck", *TRAINING),
    "visualize filters -c net.yaml": ("PIL", "cnncli.inspection.gradcheck", "cnncli.render.png.gallery", *TRAINING),
    "gradcheck -c net.yaml": ("PIL", "cnncli.inspection.views.flow", "cnncli.training.loop", "rich.progress"),
}
"""Commands, and modules that they have no use for."""


@pytest.mark.parametrize("command", NEEDLESS)
def test_a_command_loads_nothing_needless(tmp_path: Path, command: str) -> None:
    (tmp_path / "net.yaml").write_text(
        "model: {input: [1, 4, 4], layers: [{type: conv2d, out_channels: 2, kernel_size: 3}, flatten]}"
    )
    (tmp_path / "input.txt").write_text("1 2 3 4\n" * 4)
    script = (
        "import sys; from cnncli.__main__ import main; code = main(sys.argv[1].split());"
        f"print(code, sorted(set({NEEDLESS[command]}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(cnncli.__file__).parent.parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr.splitlines()[-1] == "0 []"


def every(group: Group) -> list[Command]:
    """The commands of a group and of those below it."""
    commands = [every(each) if isinstance(each, Group) else [each] for each in group.commands.values()]
    return [command for below in commands for command in below]


LISTED = {command: command.help for command in every(command_tree())}
"""The first lines of the help, as they are before anything else is loaded."""


@pytest.mark.parametrize("command", LISTED, ids=lambda command: command.home)
def test_the_list_of_commands_says_what_each_says_of_itself(command: Command) -> None:
    command.load()
    assert command.help.partition("\n")[0] == LISTED[command]


def test_a_stand_in_does_not_outlive_the_help() -> None:
    script = (
        "from cnncli.__main__ import main; main(['--help']);"
        "from rich.markdown import Markdown; from rich.traceback import Traceback;"
        "Markdown('a').markup, Traceback.extract"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
