"""The pages: the generated ones are up to date, examples load, commands exist, sessions give what they show."""

from __future__ import annotations

import doctest
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cnncli.__main__ import main
from cnncli.cli.app import command_tree
from cnncli.cli.failures import CommandLineError
from cnncli.config import load
from cnncli.data import SOURCES
from cnncli.data.augmentation import AUGMENTATIONS
from cnncli.layers import LAYERS
from cnncli.layers.initializers import INITIALIZERS
from cnncli.losses import LOSSES
from cnncli.training.optimizers import OPTIMIZERS
from cnncli.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *(page for room in ("docs", "samples", "benchmarks") for page in sorted((ROOT / room).rglob("*.md"))),
]
ENGINE = ROOT / "docs" / "engine.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FAMILIES: dict[str, dict[str, Any]] = {
    "layers": LAYERS,
    "initialisers": INITIALIZERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "sources": SOURCES,
    "augmentations": AUGMENTATIONS,
}
NETWORK = "model: {input: [1, 8, 8], layers: [flatten, {type: linear, out_features: 3}]}\n"
"""Stands beside the examples that show another section."""


def fences(page: Path, *languages: str) -> list[str]:
    """The texts of the fenced blocks in these languages."""
    return [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Generated pages


@pytest.mark.parametrize("name", ["reference", "commands"])
def test_a_generated_page_is_what_its_script_makes(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page == script(f"make_{name}").page(), f"out of step; run: python docs/make_{name}.py"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_has_an_example_that_uses_it(family: str) -> None:
    examples = script("make_reference").EXAMPLES[family]
    assert list(examples) == list(FAMILIES[family])
    for name, text in examples.items():
        assert re.search(rf"(\W|^){name}(\W|$)", text)


EXAMPLES = [pytest.param(text, id=f"{page.name}-{i}") for page in PAGES for i, text in enumerate(fences(page, "yaml"))]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_loads(text: str) -> None:
    load(text if "model:" in text else text + NETWORK)


# Command lines


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words after `cnncli` of every call on the page, in fences or between backticks."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in fences(page, "", "console", "sh", "text") for line in block.splitlines()]
    for line in [*lines, *re.findall(r"`(cnncli [^`]+)`", FENCE.sub("", text))]:
        for part in re.split(r"\s+(?:&&|[|;>])\s+", line.strip().removeprefix("$ ")):
            if re.match(r"(\S*/)?cnncli(\s|$)", part):
                yield shlex.split(part, comments=True)[1:]


def refusal(words: list[str]) -> str | None:
    """Why the command line would be refused; None if it would not. Nothing is run."""
    command: Any = command_tree()
    rest = [word for word in words if word not in ("--help", "-h")]
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands"):  # parsing these options would carry them out
        known = {name for parameter in command.params for name in parameter.opts}
        return next((f"there is no {word}" for word in rest if word not in known), None)
    try:
        command.make_context("cnncli", rest)
    except CommandLineError as error:
        return repr(error)
    return None


LINES = {f"{page.name}: {' '.join(words)}": words for page in PAGES for words in command_lines(page)}


@pytest.mark.parametrize("words", LINES.values(), ids=LINES)
def test_a_command_line_parses(words: list[str]) -> None:
    assert refusal(words) is None


@pytest.mark.parametrize(
    "line",
    [
        "trian --config a.yaml",
        "train --confg a.yaml",
        "train a.yaml",
        "train --config",
        "visualize filter",
        "eval --split tset",
        "--verison",
    ],
)
def test_a_wrong_command_line_is_found(line: str) -> None:
    assert refusal(line.split()) is not None


VIEWS = ROOT / "docs" / "views"
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


def test_every_view_has_a_page() -> None:
    root: Any = command_tree()
    views = {*root.commands["visualize"].commands, "forward", "backward", "trace", "gradcheck"}
    assert views - {page.stem for page in VIEWS.glob("*.md")} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_picture_is_there_says_what_it_shows_and_has_a_command(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    made = {found["image"] for found in script("make_pictures").PICTURE.finditer(text)}
    for shows, image in IMAGE.findall(text):
        assert shows
        assert (page.parent / image).is_file()
        assert image in made


def test_every_command_is_quoted() -> None:
    quoted = {" ".join(words[:count]) for words in LINES.values() for count in (1, 2)}
    root: Any = command_tree()
    for name, command in root.commands.items():
        wanted = {f"{name} {inner}" for inner in getattr(command, "commands", {})} or {name}
        assert wanted <= quoted


# Sessions


def test_the_console_sessions_give_what_they_show(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COLUMNS", raising=False)
    sessions = fences(ENGINE, "console")
    assert sessions
    for session in sessions:
        line, _, expected = session.removeprefix("$ cnncli ").partition("\n")
        assert main(shlex.split(line)) == 0
        shown = capsys.readouterr().out
        assert doctest.OutputChecker().check_output(expected, shown, doctest.ELLIPSIS), shown


def test_the_python_sessions_give_what_they_show(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    session = doctest.DocTestParser().get_doctest("\n".join(fences(ENGINE, "python")), {}, ENGINE.name, None, None)
    assert session.examples
    results = doctest.DocTestRunner().run(session)
    assert results.failed == 0, capsys.readouterr().out
