"""The table of bad configurations: each gives exactly the problems that are written below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cnncli.config import load
from cnncli.errors import ConfigError

TABLE = Path(__file__).with_name("bad_configs.txt")
LEAST = 60


@dataclass(frozen=True)
class Bad:
    name: str
    text: str
    overrides: tuple[str, ...]
    problems: str


def table() -> list[Bad]:
    """`##### name`, then arguments (`$ --set ...`) and the YAML text, `>>>>>`, and the problems.

    A tab is written as the picture of one.
    """
    found = []
    for section in TABLE.read_text(encoding="utf-8").split("##### ")[1:]:
        name, _, rest = section.partition("\n")
        given, _, problems = rest.partition(">>>>>\n")
        lines = given.replace("\u2409", "\t").splitlines(keepends=True)
        overrides = tuple(line.removeprefix("$ --set ").strip() for line in lines if line.startswith("$ "))
        text = "".join(line for line in lines if not line.startswith("$ "))
        found.append(Bad(name, text, overrides, problems.strip()))
    return found


@pytest.mark.parametrize("bad", table(), ids=lambda bad: bad.name)
def test_problems_are_exactly_these(bad: Bad) -> None:
    with pytest.raises(ConfigError) as caught:
        load(bad.text, bad.overrides)
    assert str(caught.value).replace("<text>:", "") == bad.problems


def test_the_table_is_large_and_has_no_name_twice() -> None:
    names = [bad.name for bad in table()]
    assert len(names) >= LEAST
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("bad", table(), ids=lambda bad: bad.name)
def test_messages_speak_our_language(bad: Bad) -> None:
    for word in ("pydantic", "Input should", "Traceback", "type=", "<class", "None", "Error"):
        assert word not in bad.problems


@pytest.mark.parametrize("bad", table(), ids=lambda bad: bad.name)
def test_the_parser_in_python_finds_the_same(bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    test_problems_are_exactly_these(bad)
