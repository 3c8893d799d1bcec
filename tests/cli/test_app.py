"""The command tree: help, version, words that are mistyped, and the entry point as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cnncli
from cnncli.cli.app import COMMANDS as COMMAND_TABLE
from tests.cli.conftest import Cli

COMMANDS = [
    "init",
    "summary",
    "config",
    "train",
    "eval",
    "predict",
    "forward",
    "backward",
    "trace",
    "gradcheck",
    "bench",
    "visualize",
]
VISUALIZE = next(command for command in COMMAND_TABLE if command.name == "visualize")
PICTURES = list(VISUALIZE.commands)


def test_help_lists_the_commands_in_the_order_of_use(cli: Cli) -> None:
    shown = cli("--help").out
    places = [shown.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "command",
    [[name] for name in COMMANDS]
    + [["config", "show"], ["config", "schema"]]
    + [["visualize", name] for name in PICTURES],
    ids=" ".join,
)
def test_every_command_explains_itself(cli: Cli, command: list[str]) -> None:
    outcome = cli(*command, "--help")
    assert outcome.code == 0
    assert f"Usage: cnncli {' '.join(command)}" in outcome.out
    if command not in (["config"], ["visualize"]):
        assert "Examples:" in outcome.out


@pytest.mark.parametrize("arguments", [[], ["config"], ["visualize"]])
def test_without_a_command_there_is_help(cli: Cli, arguments: list[str]) -> None:
    outcome = cli(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage: cnncli" in outcome.out


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"cnncli {cnncli.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "error: No such command 'trian'. Did you mean 'train', 'trace'?\n  try 'cnncli --help'\n"),
        (
            ["train", "--confg", "x"],
            "error: No such option: --confg; did you mean --config?\n  try 'cnncli train --help'\n",
        ),
        (
            ["visualize", "filter"],
            "error: No such command 'filter'. Did you mean 'filters'?\n  try 'cnncli visualize --help'\n",
        ),
    ],
)
def test_a_mistyped_word_gets_the_nearest(cli: Cli, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", message)


def test_a_choice_names_what_may_be_chosen(cli: Cli) -> None:
    outcome = cli("eval", "--split", "tset")
    assert outcome.code == 2
    assert outcome.err.startswith("error: Invalid value for '--split': 'tset' is not one of 'train', 'val', 'test'.")


def python(*arguments: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    root = Path(cnncli.__file__).parent.parent
    return subprocess.run(
        [sys.executable, "-m", "cnncli", *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(root), "PATH": "", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_python_m_cnncli(tmp_path: Path) -> None:
    done = python("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"cnncli {cnncli.__version__}\n")
    done = python("train", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: which network? give --config FILE ('cnncli init' has examples), or --resume RUN\n"


@pytest.mark.parametrize("command", ["config schema", "summary --config net.yaml", "train --help"])
def test_a_reader_that_has_seen_enough_ends_the_command_quietly(tmp_path: Path, command: str) -> None:
    (tmp_path / "net.yaml").write_text("model: {input: [4], layers: [{type: linear, out_features: 3}]}")
    root = Path(cnncli.__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "cnncli", *command.split()],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["summary", "-c", "a.yaml", "--config", "b.yaml"], "error: --config is given twice; it takes one value\n"),
        (["summary", "-c=a.yaml", "-c", "b.yaml"], "error: -c is given twice; it takes one value\n"),
        (
            ["forward", "--out", "", "-c", "x"],
            "error: --out: its value is empty; is a variable of the shell not set?\n",
        ),
        (["forward", "--out=", "-c", "x"], "error: --out: its value is empty; is a variable of the shell not set?\n"),
    ],
)
def test_an_option_takes_one_value(cli: Cli, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", message)


def test_a_repeatable_option_may_be_repeated(cli: Cli, folder: Path) -> None:
    assert cli("summary", "-c", "stripes.yaml", "--set", "name=a", "--set", "seed=1").code == 0
