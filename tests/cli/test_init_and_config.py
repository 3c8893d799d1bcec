"""Starting: starter networks, the resolved configuration, the schema, the summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncli.config import load
from tests.cli.conftest import Cli


def test_init_lists_the_starters_with_what_they_are(cli: Cli, folder: Path) -> None:
    outcome = cli("init")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert any(line.startswith("fashion ") and line.endswith("start here.") for line in lines)
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    listed = cli("init", "--json").json
    assert [starter["name"] for starter in listed] == [line.split()[0] for line in lines]
    assert all(starter["description"] for starter in listed)


def test_init_writes_a_starter_and_never_over_a_file(cli: Cli, folder: Path) -> None:
    outcome = cli("init", "lenet5", "edge3x3.yaml")
    assert outcome.out == "wrote lenet5.yaml\nwrote edge3x3.yaml\n"
    assert load("lenet5.yaml").name == "lenet5"
    (folder / "lenet5.yaml").write_text("mine")
    outcome = cli("init", "fashion", "lenet5")
    assert outcome.code == 2
    assert outcome.err.startswith("error: lenet5.yaml: already there; give --force")
    assert not (folder / "fashion.yaml").exists()
    assert (folder / "lenet5.yaml").read_text() == "mine"
    assert cli("init", "lenet5", "--force").code == 0
    assert load("lenet5.yaml").name == "lenet5"


def test_init_all(cli: Cli, folder: Path) -> None:
    names = [starter["name"] for starter in cli("init", "--json").json]
    written = cli("init", "--all", "--json").json["written"]
    assert written == [f"{name}.yaml" for name in names]
    assert all((folder / file).is_file() for file in written)
    assert cli("init", "--all", "lenet5").code == 2


def test_init_of_an_unknown_name(cli: Cli, folder: Path) -> None:
    outcome = cli("init", "lenet")
    assert outcome.code == 2
    assert outcome.err == "error: there is no starter network 'lenet'; did you mean 'lenet5'?\n"


def test_config_show_is_the_same_experiment_with_everything_written_out(cli: Cli, folder: Path) -> None:
    outcome = cli("config", "show", "--config", "stripes.yaml", "--set", "train.epochs=7")
    (folder / "again.yaml").write_text(outcome.out)
    assert load("again.yaml") == load("stripes.yaml", ["train.epochs=7"])
    values = cli("config", "show", "--config", "stripes.yaml", "--set", "train.epochs=7", "--json").json
    assert values["train"]["epochs"] == 7
    assert values["model"]["layers"][1] == {"type": "relu", "name": "relu1", "inputs": ["conv"]}


def test_config_schema(cli: Cli) -> None:
    schema = cli("config", "schema").json
    assert schema["required"] == ["model"]


def test_every_mistake_is_a_line_with_its_place(cli: Cli, folder: Path) -> None:
    text = (folder / "stripes.yaml").read_text()
    (folder / "wrong.yaml").write_text(
        text.replace("kernel_size: 3", "kernel_sise: 3").replace("epochs: 2", "epochs: two")
    )
    outcome = cli("train", "--config", "wrong.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    errors = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert [error.split(": ")[1] for error in errors] == ["wrong.yaml:6:51", "wrong.yaml:12:17"]
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: which network? give --config FILE, or --run DIR of a trained one"),
        (["--config", "stripes.yaml", "--run", "runs/first"], "error: --config and --run were both given"),
        (["--config", "missing.yaml"], "error: missing.yaml: cannot read the configuration: No such file or directory"),
        (["--run", "missing"], "error: missing: no such run directory"),
        (["--config", "stripes.yaml", "--set", "train.epochs"], "error: --set train.epochs"),
    ],
)
def test_which_network(cli: Cli, folder: Path, arguments: list[str], message: str) -> None:
    outcome = cli("summary", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(message)


def test_summary(cli: Cli, folder: Path) -> None:
    outcome = cli("summary", "--config", "stripes.yaml")
    assert outcome.code == 0
    assert "conv" in outcome.out
    summary = cli("summary", "--config", "stripes.yaml", "--json").json
    conv, _, pool, _, classes = summary["layers"]
    assert (conv["shape"], conv["parameters"], conv["macs"]) == ([3, 6, 6], 30, 3 * 36 * 9)
    assert pool["receptive_field"]["size"] == [4, 4]
    assert (classes["parameters"], classes["receptive_field"]) == (56, None)
    assert (summary["parameters"], summary["macs"]) == (86, 3 * 36 * 9 + 54)
